/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"

#include "fatal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int client_connect(const char *mount) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s.sock", mount);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fatal("cannot connect to '%s'", address.sun_path);
    return fd;
}

static void send_request(int fd, const char *request) {
    ssize_t len = strlen(request);

    if (send(fd, request, len, MSG_NOSIGNAL) != len)
        fatal("cannot ask for '%.*s'", (int)len - 1, request);
}

static bool ends_with_ok(const char *text, size_t len) {
    return len >= 3 && memcmp(text + len - 3, "ok\n", 3) == 0 && (len == 3 || text[len - 4] == '\n');
}

void client_ask(int fd, const char *request) {
    char text[4096];
    size_t len = 0;

    send_request(fd, request);
    do {
        ssize_t n = read(fd, text + len, sizeof text - len);

        if (n <= 0 || memcmp(text, "error", 5) == 0)
            fatal("the request '%s' is answered by '%.*s'", request, (int)len, text);
        len += n;
    } while (!ends_with_ok(text, len));
}

int client_ask_for_fd(int fd, const char *request) {
    char text[256], control[CMSG_SPACE(sizeof fd)];
    struct iovec bytes = { .iov_base = text, .iov_len = sizeof text };
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    struct cmsghdr *header;
    ssize_t n;
    int got;

    send_request(fd, request);
    n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS)
        fatal("the request '%s' is answered by '%.*s'", request, n > 0 ? (int)n : 0, text);
    memcpy(&got, CMSG_DATA(header), sizeof got);
    return got;
}
