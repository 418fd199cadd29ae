/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotifyfs for programs written in C and C++: its contract, and memnotifyfs_watch(). There is no library
 * to link with: the interface is files.
 *
 *     struct pollfd waiter = { memnotifyfs_watch(NULL, "available<10%"), POLLIN, 0 };
 *     char line[MEMNOTIFYFS_LINE_MAX];
 *
 *     while (waiter.fd >= 0 && poll(&waiter, 1, -1) > 0 && !(waiter.revents & POLLERR)) {
 *         read(waiter.fd, line, sizeof line);   // what there is now; takes the event
 *         drop_caches();
 *     } */
#ifndef MEMNOTIFYFS_H
#define MEMNOTIFYFS_H

#include <memnotifyfs/contract.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* memnotify at the mount "PLACE/BELOW" or, with an empty BELOW, "PLACE"; -errno. */
static inline int memnotifyfs_open_(const char *place, const char *below) {
    char path[PATH_MAX];
    int fd, len;

    len = snprintf(path, sizeof path, "%s/%s/%s", place, below, MEMNOTIFYFS_MEMNOTIFY);
    if (len < 0 || len >= PATH_MAX)
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

/* At the system's mount or, where there is none, at the user's. */
static inline int memnotifyfs_open_usual_(void) {
    const char *of_user = getenv("XDG_RUNTIME_DIR");
    int fd = memnotifyfs_open_(MEMNOTIFYFS_MOUNT, ""), fd_of_user;

    if (fd >= 0 || !of_user)
        return fd;
    fd_of_user = memnotifyfs_open_(of_user, MEMNOTIFYFS_MOUNT_OF_USER);
    return fd_of_user >= 0 ? fd_of_user : fd;
}

/* Opens the file memnotify below the directory `mount`, sets its limits to `limits`, and returns a
 * descriptor that is the caller's to close: POLLIN says that a limit has been reached or left, read()
 * gives "used N active N total N\n" and takes the event. It can be read again and again without
 * lseek(2), and written to with other limits. A blank line tracks nothing.
 *
 * NULL is the mount that $MEMNOTIFYFS names, else the system's (MEMNOTIFYFS_MOUNT), else the user's
 * (MEMNOTIFYFS_MOUNT_OF_USER). A program with rights that its user does not have names its mount.
 *
 * Returns -errno on failure: -EINVAL when the limits are not understood (the file errors says why),
 * -ENOENT when nothing is mounted there, -ENOTCONN when the server has died, -ENAMETOOLONG, and those
 * of open(2).
 * Needs POSIX.1-2008: with -std=c99 or c11 define _POSIX_C_SOURCE as 200809L. */
static inline int memnotifyfs_watch(const char *mount, const char *limits) {
    const char *place = mount ? mount : getenv(MEMNOTIFYFS_ENVIRONMENT);
    int fd = place && *place ? memnotifyfs_open_(place, "") : memnotifyfs_open_usual_();
    int error;

    if (fd < 0)
        return fd;
    if (write(fd, limits, strlen(limits)) < 0) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

#endif
