/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* watch [MOUNT [LIMITS]]: a line whenever a limit is reached or left. */
#include <memnotifyfs/memnotifyfs.h>
#include <poll.h>

int main(int argc, char **argv) {
    const char *mount = argc > 1 ? argv[1] : MEMNOTIFYFS_MOUNT;
    const char *limits = argc > 2 ? argv[2] : "used 80% available<10%";
    struct pollfd waiter = { .fd = memnotifyfs_watch(mount, limits), .events = POLLIN };
    char line[MEMNOTIFYFS_LINE_MAX];
    ssize_t n;

    if (waiter.fd < 0) {
        fprintf(stderr, "cannot watch '%s' at '%s': %s\n", limits, mount, strerror(-waiter.fd));
        return 1;
    }

    do { /* once at the start, since what is reached already is no event */
        n = read(waiter.fd, line, sizeof line);
        if (n > 0) {
            fwrite(line, 1, n, stdout);
            fflush(stdout);
        }
    } while (n > 0 && poll(&waiter, 1, -1) == 1);

    fprintf(stderr, "memnotifyfs at '%s' has ended\n", mount);
    return 1;
}
