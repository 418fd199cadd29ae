/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's word that memory is short, which takes the place of the driver's shrinker. It only
 * ever makes us sample sooner, so its false first event (an unprivileged trigger may count all that
 * was stalled since boot) does no harm. */
#include "psi.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int mn_psi_open(int directory_fd, const char *name, int *ret_fd) {
    static const char trigger[] = "some 150000 2000000"; /* with its NUL: psi cuts the last byte */
    int fd, r;

    fd = openat(directory_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;

    if (write(fd, trigger, sizeof trigger) < 0) {
        r = -errno;
        close(fd);
        return r;
    }

    *ret_fd = fd;
    return 0;
}
