/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mounted tree of files. All paths begin at a descriptor of its root, so that they lead to one server and not to the
 * next, and fail with -ENOTCONN when that has ended. Who reads and writes here waits as long as the server takes to
 * serve it. */
#ifndef MOUNT_H
#define MOUNT_H

#include <stddef.h>
#include <stdint.h>

struct mount {
    int root_fd; /* -1: not open */
};

/* 0; -ENOTDIR, and other errors of open(2). */
int mount_open(const char *path, struct mount *ret);

/* Accepts what is not open. */
void mount_close(struct mount *self);

/* A file below it: a descriptor, which is the caller's, or -errno. */
int mount_open_file(const struct mount *self, const char *path, int flags);

/* The same of meters/NAME. -ENOENT: that is no meter. */
int mount_open_meter(const struct mount *self, const char *meter, int flags);

/* What it shows, in pages. */
int mount_read_meter(const struct mount *self, const char *meter, uint64_t *ret);

/* What a file shows, as a string, as far as there is room for it. */
int mount_read(const struct mount *self, const char *path, char *ret, size_t size);

/* One write of all of the text to an open file. */
int mount_write(int fd, const char *text);

#endif
