/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

MnFolder mn_folder_of_directory(int fd) {
    return (MnFolder){ .fd = fd };
}

MnFolder mn_folder_of_replay(MnReplay *replay, int level) {
    return (MnFolder){ .fd = -1, .replay = replay, .level = level };
}

void mn_folder_close(MnFolder *self) {
    if (self->fd >= 0)
        close(self->fd);
    *self = (MnFolder)MN_FOLDER_CLOSED;
}

gboolean mn_folder_is_open(const MnFolder *self) {
    return self->fd >= 0 || self->replay;
}

static char *name_in_replay(const MnFolder *self, const char *name) {
    return self->level < 0 ? g_strdup(name) : g_strdup_printf(MN_SCRIPT_CGROUP, self->level, name);
}

static int open_in_replay(const MnFolder *self, const char *name, int flags) {
    g_autofree char *path = name_in_replay(self, name);

    return (flags & O_ACCMODE) == O_RDONLY ? mn_replay_open(self->replay, path) : -EROFS;
}

int mn_folder_open(const MnFolder *self, const char *name, int flags) {
    int fd;

    if (self->replay)
        return open_in_replay(self, name, flags);
    if (self->fd < 0)
        return -ENODEV;
    fd = openat(self->fd, name, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

gboolean mn_folder_has(const MnFolder *self, const char *name) {
    if (self->replay) {
        g_autofree char *path = name_in_replay(self, name);

        return mn_replay_has(self->replay, path);
    }
    return self->fd >= 0 && (faccessat(self->fd, name, F_OK, 0) == 0 || errno != ENOENT);
}
