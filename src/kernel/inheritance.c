/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What whoever has started us had open. */
#include "inheritance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FIRST_FD (STDERR_FILENO + 1)

/* Kernels before 5.9 do not have close_range(2), and some containers do not permit it. */
static void close_one_by_one(int first_fd, int kept_fd) {
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name); /* 0 for "." */

        if (fd >= first_fd && fd != kept_fd && fd != dirfd(dir))
            close(fd);
    }
    closedir(dir);
}

static gboolean close_range_of(guint first, guint last) {
    return first > last || syscall(SYS_close_range, first, last, 0) == 0;
}

int mn_inheritance_drop(guint n_handed, int kept_fd) {
    guint first = FIRST_FD + n_handed, kept = MAX(kept_fd, (int)first - 1);

    if (!close_range_of(first, kept - 1) || !close_range_of(kept + 1, G_MAXUINT))
        close_one_by_one((int)first, kept_fd);
    if (kept_fd >= 0)
        (void)fcntl(kept_fd, F_SETFD, FD_CLOEXEC);

    /* The lowest that is free is what is opened next. */
    for (int fd = 0; fd < FIRST_FD; fd++)
        /* cppcheck-suppress leakReturnValNotUsed ; it stays open, as the standard descriptors do */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return -errno;
    return 0;
}
