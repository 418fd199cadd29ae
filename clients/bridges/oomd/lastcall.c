/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lastcall.h"

#include "where.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/contract.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct LastCall {
    char *place;
    int fd; /* -1: none */
};

LastCall *last_call_new(const char *place) {
    LastCall *self = g_new0(LastCall, 1);

    *self = (LastCall){ .place = g_strdup(place), .fd = -1 };
    return self;
}

static void shut(LastCall *self) {
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

void last_call_free(LastCall *self) {
    if (!self)
        return;
    shut(self);
    g_free(self->place);
    g_free(self);
}

int last_call_open(LastCall *self) {
    g_autofree char *path = NULL;
    struct mount mount;
    int r;

    if (self->fd >= 0)
        return 0;
    r = cmd_where_find_mount(self->place, &mount, &path);
    if (r < 0)
        return r;
    r = mount_open_file(&mount, MEMNOTIFYFS_LAST_CALL_FILE, O_RDWR);
    mount_close(&mount);
    if (r < 0)
        return r;
    self->fd = r;
    return 0;
}

static int make(LastCall *self, const char *group) {
    char text[32];
    ssize_t n;

    if (write(self->fd, group, strlen(group)) < 0)
        return -errno;
    n = pread(self->fd, text, sizeof text - 1, 0);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    return atoi(text); /* which the server has written */
}

static gboolean is_of_an_end(int r) {
    return r == -ENOTCONN || r == -ECONNABORTED || r == -EIO;
}

int last_call_make(LastCall *self, const char *group) {
    gboolean was_open = self->fd >= 0;
    int r = last_call_open(self);

    if (r == 0)
        r = make(self, group);
    if (!is_of_an_end(r))
        return r;
    shut(self);
    return was_open ? last_call_make(self, group) : r;
}
