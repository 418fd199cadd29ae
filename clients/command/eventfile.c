/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the file `events` tells, by whole lines: it never gives a part of one. */
#include "eventfile.h"

#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/contract.h>
#include <string.h>
#include <unistd.h>

int cmd_event_file_open(const char *place) {
    struct mount mount;
    g_autofree char *path = NULL;
    int r = cmd_where_find_mount(place, &mount, &path);

    if (r < 0)
        return r;
    r = mount_open_file(&mount, MEMNOTIFYFS_EVENTS, O_RDONLY | O_NONBLOCK);
    mount_close(&mount);
    return r;
}

static void take_lines(char *text, CmdEventTake take, gpointer data) {
    char *newline;

    for (; (newline = strchr(text, '\n')); text = newline + 1) {
        CmdEvent event;

        *newline = '\0';
        if (cmd_event_parse(text, &event))
            take(&event, data);
    }
}

int cmd_event_file_read(int fd, CmdEventTake take, gpointer data) {
    char text[4096 + 1];
    ssize_t n;

    do {
        n = read(fd, text, sizeof text - 1);
        if (n > 0) {
            text[n] = '\0';
            take_lines(text, take, data);
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0)
        return -ENOTCONN;
    return errno == EAGAIN ? 0 : -errno;
}
