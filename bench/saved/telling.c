/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "telling.h"

#include "facts.h"

#include <errno.h>
#include <memnotifyfs/client.h>
#include <poll.h>
#include <string.h>

static memnotifyfs *client;
static bool is_short;

void telling_init(const char *how) {
    int error;

    if (strcmp(how, "none") == 0)
        return;
    error = memnotifyfs_open(NULL, &client);
    if (error == 0)
        error = memnotifyfs_set_limits(client, how);
    if (error < 0) {
        errno = -error;
        facts_die(how);
    }
}

bool telling_wait(int ms) {
    struct pollfd waiter = { .fd = client ? memnotifyfs_get_fd(client) : -1, .events = POLLIN };
    struct memnotifyfs_event event;

    if (poll(&waiter, 1, ms) == 1)
        while (memnotifyfs_next(client, &event) > 0)
            if (event.kind == MEMNOTIFYFS_REACHED || event.kind == MEMNOTIFYFS_LEFT)
                is_short = event.kind == MEMNOTIFYFS_REACHED;
    return is_short;
}
