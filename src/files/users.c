/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* users: who holds what of the daemon, for its owner. */
#include "files/files.h"
#include "fs/open.h"

static int users_read(MnOpen *open, GString *text) {
    mn_quota_render(open->node->data, text);
    return 0;
}

static const MnFileOps users_ops = {
    .read = users_read,
};

void mn_users_add(MnTree *tree, MnQuota *quota) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_USERS, 0400, &users_ops, quota);
}
