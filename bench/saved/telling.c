/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "telling.h"

#include "../guards/psi-alert.h"
#include "facts.h"

#include <errno.h>
#include <memnotifyfs/client.h>
#include <poll.h>
#include <string.h>

#define UID 1000

static memnotifyfs *client;
static PsiAlert alert;
static int fd = -1;
static bool is_short;

void telling_init(const char *how) {
    int error;

    if (strcmp(how, "none") == 0)
        return;
    if (strcmp(how, "psi") == 0) {
        error = psi_alert_init(&alert, UID);
        fd = alert.fd;
    } else {
        error = memnotifyfs_open(NULL, &client);
        if (error == 0)
            error = memnotifyfs_set_limits(client, how);
        fd = error == 0 ? memnotifyfs_get_fd(client) : -1;
    }
    if (error < 0) {
        errno = -error;
        facts_die(how);
    }
}

static void listen_to_server(void) {
    struct memnotifyfs_event event;

    while (memnotifyfs_next(client, &event) > 0)
        if (event.kind == MEMNOTIFYFS_REACHED || event.kind == MEMNOTIFYFS_LEFT)
            is_short = event.kind == MEMNOTIFYFS_REACHED;
}

static void look_at_pressure(void) {
    int told = psi_alert_update(&alert);

    if (told < 0) {
        errno = -told;
        facts_die(alert.path);
    }
    is_short = alert.state != PSI_INACTIVE;
}

bool telling_wait(int ms) {
    struct pollfd waiter = { .fd = fd, .events = POLLIN };

    if (poll(&waiter, 1, ms) != 1)
        return is_short;
    if (client)
        listen_to_server();
    else
        look_at_pressure();
    return is_short;
}
