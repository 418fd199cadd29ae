/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mount.h"

#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/client.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int mount_open(const char *path, struct mount *ret) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ret->root_fd = fd;
    return 0;
}

void mount_close(struct mount *self) {
    if (self->root_fd >= 0)
        close(self->root_fd);
    self->root_fd = -1;
}

int mount_open_file(const struct mount *self, const char *path, int flags) {
    int fd = openat(self->root_fd, path, flags | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    return fd;
}

int mount_open_meter(const struct mount *self, const char *meter, int flags) {
    char path[sizeof MEMNOTIFYFS_METERS + 1 + MEMNOTIFYFS_PAGE_NAME_MAX];
    size_t len = strlen(meter);

    /* The name of a meter, and nothing that leads elsewhere. */
    if (len == 0 || len > MEMNOTIFYFS_PAGE_NAME_MAX || strspn(meter, "abcdefghijklmnopqrstuvwxyz_0123456789") != len)
        return -ENOENT;
    snprintf(path, sizeof path, MEMNOTIFYFS_METERS "/%s", meter);
    return mount_open_file(self, path, flags);
}

static int read_and_close(int fd, char *ret, size_t size) {
    ssize_t n;
    int error;

    do
        n = read(fd, ret, size - 1);
    while (n < 0 && errno == EINTR);
    error = n < 0 ? errno : 0;
    close(fd);
    if (n >= 0)
        ret[n] = '\0';
    return -error;
}

int mount_read_meter(const struct mount *self, const char *meter, uint64_t *ret) {
    char text[32];
    const char *at = text;
    int fd = mount_open_meter(self, meter, O_RDONLY), r;

    if (fd < 0)
        return fd;
    r = read_and_close(fd, text, sizeof text);
    return r < 0 ? r : scan_number(&at, ret);
}

int mount_read(const struct mount *self, const char *path, char *ret, size_t size) {
    int fd = mount_open_file(self, path, O_RDONLY);

    return fd < 0 ? fd : read_and_close(fd, ret, size);
}

int mount_write(int fd, const char *text) {
    ssize_t n;

    do
        n = write(fd, text, strlen(text));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}
