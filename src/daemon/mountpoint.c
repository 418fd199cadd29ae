/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory to mount on, looked at before we mount and when we have ended. While we are mounted nothing is
 * done here that we would have to answer. */
#include "mountpoint.h"

#include "kernel/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <memnotifyfs/contract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Of the device, see Documentation/admin-guide/devices.txt of the kernel. */
#define FUSE_MAJOR 10
#define FUSE_MINOR 229

static gboolean fail(GError **error, const char *format, const char *path) {
    g_autofree char *message = g_strdup_printf(format, path);

    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, message);
    return FALSE;
}

int mn_mountpoint_get_descriptor(const char *path) {
    int fd, end = 0;

    if (sscanf(path, "/dev/fd/%d%n", &fd, &end) != 1 || path[end] != '\0')
        return -1;
    return fd;
}

static gboolean check_descriptor(const char *path, int fd, GError **error) {
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(FUSE_MAJOR, FUSE_MINOR))
        return TRUE;
    return fail(error, "'%s' is not an open /dev/fuse", path);
}

gboolean mn_mountpoint_clear(const char *path) {
    const char *const argv[] = { "fusermount3", "-u", "-z", "-q", "--", path, NULL };
    int status;

    if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return TRUE;
    return g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL) &&
           g_spawn_check_wait_status(status, NULL);
}

static gboolean check_stat(const char *path, struct stat *st, GError **error) {
    if (stat(path, st) == 0)
        return TRUE;

    if ((errno == ENOTCONN || errno == ECONNABORTED) && mn_mount_is_of_type(path, MEMNOTIFYFS_TYPE)) {
        if (!mn_mountpoint_clear(path))
            return fail(error, "cannot clear the dead mount at '%s'; unmount it with 'umount -l'", path);
        if (stat(path, st) == 0)
            return TRUE;
    }
    if (errno == ENOENT)
        return fail(error, "mount point '%s' does not exist; make it with 'mkdir -p'", path);
    if (errno == ENOTCONN || errno == ECONNABORTED)
        return fail(error, "mount point '%s' holds a dead mount of something else; unmount it first", path);

    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot look at mount point '%s': %s", path,
                g_strerror(errno));
    return FALSE;
}

static gboolean is_empty(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

    return !dir || !g_dir_read_name(dir);
}

char *mn_mountpoint_prepare(const char *path, gboolean may_be_nonempty, GError **error) {
    g_autofree char *absolute = mn_mount_resolve(path);
    int fd = mn_mountpoint_get_descriptor(path);
    struct stat st;

    if (fd >= 0)
        return check_descriptor(path, fd, error) ? g_strdup(path) : NULL;
    if (!check_stat(absolute, &st, error))
        return NULL;

    if (mn_mount_is_of_type(absolute, MEMNOTIFYFS_TYPE)) {
        fail(error, "'%s' is mounted already; unmount it first with 'umount'", absolute);
        return NULL;
    }
    if (!S_ISDIR(st.st_mode)) {
        fail(error, "mount point '%s' is not a directory", absolute);
        return NULL;
    }
    if (!may_be_nonempty && !is_empty(absolute)) {
        fail(error, "mount point '%s' is not empty; choose another or give -o nonempty", absolute);
        return NULL;
    }
    return g_steal_pointer(&absolute);
}

/* AT_STATX_DONT_SYNC: what the kernel knows. */
int mn_mountpoint_find_device(const char *path, dev_t *ret) {
    struct statx st;

    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &st) < 0)
        return -errno;
    *ret = makedev(st.stx_dev_major, st.stx_dev_minor);
    return 0;
}

/* The kernel answers for a dead mount at once. Another may have been mounted here meanwhile, even under our
 * number, which is free again; then its server is asked, and has no reason to let us wait. */
gboolean mn_mountpoint_is_dead(const char *path, dev_t device) {
    struct stat st;
    dev_t on_top;

    return mn_mountpoint_find_device(path, &on_top) == 0 && on_top == device && stat(path, &st) < 0 &&
           (errno == ENOTCONN || errno == ECONNABORTED);
}
