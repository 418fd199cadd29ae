/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void wire_init(struct wire *self) {
    self->fd = self->passed_fd = -1;
    self->first = self->n = 0;
}

int wire_connect(struct wire *self, const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    int fd, error;

    if (len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, len);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        error = errno;
        close(fd);
        return -error;
    }

    self->fd = fd;
    return 0;
}

void wire_disconnect(struct wire *self) {
    if (self->passed_fd >= 0)
        close(self->passed_fd);
    if (self->fd >= 0)
        close(self->fd);
    wire_init(self);
}

/* There is room for all: the server has read what was sent before, since it has answered it. */
int wire_send(struct wire *self, const char *text) {
    size_t len = strlen(text);
    ssize_t n;

    do
        n = send(self->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EPIPE ? 0 : -errno;
    return (size_t)n == len ? 0 : -EAGAIN;
}

char *wire_take_line(struct wire *self) {
    char *line = self->bytes + self->first;
    char *end = memchr(line, '\n', self->n);

    if (!end)
        return NULL;
    *end++ = '\0';
    self->first += (size_t)(end - line);
    self->n -= (size_t)(end - line);
    return line;
}

int wire_take_fd(struct wire *self) {
    int fd = self->passed_fd;

    self->passed_fd = -1;
    return fd;
}

/* The kernel gives no more descriptors than there is room for. */
static void keep_descriptor(struct wire *self, struct msghdr *message) {
    struct cmsghdr *part = CMSG_FIRSTHDR(message);

    if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
        part->cmsg_len != CMSG_LEN(sizeof(int)))
        return;
    if (self->passed_fd >= 0)
        close(self->passed_fd);
    memcpy(&self->passed_fd, CMSG_DATA(part), sizeof(int));
}

int wire_receive(struct wire *self) {
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec room;
    struct msghdr message = {
        .msg_iov = &room, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    ssize_t n;

    memmove(self->bytes, self->bytes + self->first, self->n);
    self->first = 0;
    room = (struct iovec){ .iov_base = self->bytes + self->n, .iov_len = WIRE_BYTES - self->n };
    if (room.iov_len == 0)
        return -EPROTO;

    n = recvmsg(self->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno != ECONNRESET)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n <= 0)
        return -ENOTCONN;
    keep_descriptor(self, &message);
    self->n += (size_t)n;
    return 1;
}
