/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* errors: why the last writes of who reads it were refused. */
#include "files/files.h"
#include "fs/open.h"
#include "fs/refusals.h"

G_STATIC_ASSERT(MN_REFUSALS_OF_USER *MN_REFUSAL_BYTES <= 4096); /* what st_size says */

static int errors_read(MnOpen *open, GString *text) {
    mn_refusals_render(open->node->data, mn_account_get_uid(open->account), text);
    return 0;
}

static const MnFileOps errors_ops = {
    .read = errors_read,
};

void mn_errors_add(MnTree *tree) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_ERRORS, 0444, &errors_ops, mn_tree_get_refusals(tree));
}
