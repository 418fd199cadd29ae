/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* watch [MOUNT [LIMITS]]: a line whenever a limit is reached or left, also after a restart of the server. */
#include <memnotifyfs/memnotifyfs.h>
#include <poll.h>

/* Until the server ends. */
static void watch(int fd) {
    struct pollfd waiter = { .fd = fd, .events = POLLIN };
    char line[MEMNOTIFYFS_LINE_MAX];
    ssize_t n;

    do { /* once at the start, since what is reached already is no event */
        n = read(fd, line, sizeof line);
        if (n > 0) {
            fwrite(line, 1, n, stdout);
            fflush(stdout);
        }
    } while (n > 0 && poll(&waiter, 1, -1) == 1);
    close(fd);
}

int main(int argc, char **argv) {
    const char *mount = argc > 1 ? argv[1] : NULL;
    const char *limits = argc > 2 ? argv[2] : "used 80% available<10%";

    for (int tries = 10;; sleep(1)) { /* so often it looks for a server that was there before */
        int fd = memnotifyfs_watch(mount, limits);

        if (fd >= 0) {
            watch(fd);
            fputs("memnotifyfs has ended; waiting until it comes back\n", stderr);
            tries = 0;
        } else if (tries++ == 10) {
            fprintf(stderr, "cannot watch '%s': %s\n", limits, strerror(-fd));
            return 1;
        }
    }
}
