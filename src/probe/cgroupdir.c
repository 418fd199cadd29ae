/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the files of a memory control group are. Everything is opened relative to the directory, so that
 * the group meant at the start is the one that is read, whatever is mounted or made later: until it is removed, when
 * whoever reads it opens what is there by then. */
#include "cgroupdir.h"

#include "kernel/ourselves.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_directory(int fd, const char *path) {
    return openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static gboolean has_file(int fd, const char *name) {
    return faccessat(fd, name, F_OK, 0) == 0;
}

static int init_at(MnCgroupDir *self, const char *path) {
    int fd = open_directory(AT_FDCWD, path);

    if (fd < 0)
        return -errno;

    for (MnCgroupVersion version = MN_CGROUP_V1; version <= MN_CGROUP_V2; version++)
        if (has_file(fd, mn_cgroup_names(version)->usage)) {
            *self = (MnCgroupDir){ fd, version, mn_cgroup_names(version) };
            return 0;
        }
    close(fd);
    return -ENOENT;
}

static int init_own(MnCgroupDir *self, char **ret_path) {
    g_autofree char *groups = NULL, *mounts = NULL, *path = NULL;
    int r;

    if (!g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL) ||
        !g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL))
        return -ENOENT;
    r = mn_cgroup_find(groups, mounts, &path);
    if (r < 0)
        return r;

    while ((r = init_at(self, path)) == -ENOENT && strcmp(path, "/") != 0) {
        char *above = g_path_get_dirname(path);

        g_free(path);
        path = above;
    }
    if (r == 0)
        *ret_path = g_steal_pointer(&path);
    return r;
}

int mn_cgroup_dir_init(MnCgroupDir *self, const char *path, char **ret_path) {
    int r;

    if (!path)
        return init_own(self, ret_path);
    r = init_at(self, path);
    if (r == 0)
        *ret_path = g_canonicalize_filename(path, NULL);
    return r;
}

int mn_cgroup_dir_init_parent(MnCgroupDir *self, const MnCgroupDir *below) {
    int fd = open_directory(below->fd, "..");
    struct stat here, above;

    if (fd < 0)
        return -errno;
    if (fstat(below->fd, &here) < 0 || fstat(fd, &above) < 0 || here.st_dev != above.st_dev ||
        here.st_ino == above.st_ino) {
        close(fd);
        return -ENOENT;
    }
    *self = (MnCgroupDir){ fd, below->version, below->names };
    return 0;
}

void mn_cgroup_dir_clear(MnCgroupDir *self) {
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

int mn_cgroup_dir_open(const MnCgroupDir *self, const char *name, int flags) {
    int fd;

    if (self->fd < 0)
        return -ENODEV;
    fd = openat(self->fd, name, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

int mn_cgroup_dir_open_optional(const MnCgroupDir *self, const char *name, int flags, int *ret_fd) {
    int fd = mn_cgroup_dir_open(self, name, flags);

    *ret_fd = MAX(fd, -1);
    return fd < 0 && mn_error_passes(fd) ? fd : 0;
}

gboolean mn_cgroup_dir_is_removed(const MnCgroupDir *self) {
    return self->fd < 0 || (!has_file(self->fd, self->names->usage) && errno == ENOENT);
}

int mn_cgroup_read_number(int fd, guint64 *ret) {
    char text[32];
    gssize n;

    do
        n = pread(fd, text, sizeof text, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : mn_cgroup_parse_number(text, n, ret);
}
