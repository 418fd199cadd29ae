/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client FILE LIMITS: writes LIMITS to FILE and polls it. Prints "waiting", then a line for each event:
 * the poll events and what the file says. Ends with 3 when the server has gone. */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct pollfd waiter = { .events = POLLIN };
    char text[4096];
    ssize_t n;

    if (argc != 3)
        errx(2, "usage: client FILE LIMITS");
    waiter.fd = open(argv[1], O_RDWR);
    if (waiter.fd < 0)
        err(1, "cannot open '%s'", argv[1]);
    if (write(waiter.fd, argv[2], strlen(argv[2])) < 0)
        err(1, "cannot write '%s' to '%s'", argv[2], argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (pread(waiter.fd, text, sizeof text, 0) < 0) /* takes the state of now */
        err(1, "cannot read '%s'", argv[1]);
    puts("waiting");
    while (poll(&waiter, 1, -1) == 1) {
        if (waiter.revents & POLLERR) {
            puts("gone");
            return 3;
        }
        n = pread(waiter.fd, text, sizeof text, 0);
        if (n < 0)
            err(1, "cannot read '%s'", argv[1]);
        printf("%s%s %.*s", waiter.revents & POLLIN ? "IN" : "", waiter.revents & POLLPRI ? "|PRI" : "", (int)n, text);
    }
    return 1;
}
