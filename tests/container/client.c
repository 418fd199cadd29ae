/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client FILE LIMITS: writes LIMITS to FILE and polls it. Prints "waiting", then a line for each event:
 * the poll events and what the file says. Ends with 3 when the server has gone.
 *
 * If FILE is a socket it asks there for LIMITS, and prints what it is told without the time. */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The first line is the answer. */
static int watch_socket(const char *path, const char *limits) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    FILE *lines = fdopen(fd, "r");
    char line[256];

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (!lines || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        err(1, "cannot connect to '%s'", path);
    dprintf(fd, "watch %s\n", limits);
    for (bool is_first = true; fgets(line, sizeof line, lines); is_first = false)
        fputs(!is_first ? strchr(line, ' ') + 1 : strcmp(line, "ok\n") == 0 ? "waiting\n" : line, stdout);
    puts("gone");
    return 3;
}

static bool is_socket(const char *path) {
    struct stat st;

    return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int main(int argc, char **argv) {
    struct pollfd waiter = { .events = POLLIN };
    char text[4096];
    ssize_t n;

    if (argc != 3)
        errx(2, "usage: client FILE LIMITS");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (is_socket(argv[1]))
        return watch_socket(argv[1], argv[2]);
    waiter.fd = open(argv[1], O_RDWR);
    if (waiter.fd < 0)
        err(1, "cannot open '%s'", argv[1]);
    if (write(waiter.fd, argv[2], strlen(argv[2])) < 0)
        err(1, "cannot write '%s' to '%s'", argv[2], argv[1]);

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
