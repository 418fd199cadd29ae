/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* socket: where the socket is; and a place that memnotify-run mounts one on. */
#include "files/files.h"
#include "fs/open.h"
#include "socket/server.h"

static int socket_read(MnOpen *open, GString *text) {
    mn_server_print_places(open->node->data, text);
    return 0;
}

static const MnFileOps socket_ops = {
    .read = socket_read,
};

void mn_socket_add(MnTree *tree, MnServer *server) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_SOCKET_FILE, 0444, &socket_ops, server);
}
