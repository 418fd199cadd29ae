/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes and descriptors through a socket. */
#include "wire.h"

#include "kernel/passing.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a client that does not read can make the kernel keep for him is memory of nobody's, so it is little. The kernel
 * doubles it for what it needs itself; some twenty lines fit. */
#define SEND_BUFFER_BYTES 8192

/* Linux 6.16 */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void mn_wire_refuse_descriptors(int listening_fd) {
    const int no = 0;

    (void)setsockopt(listening_fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no);
}

/* A connection has it from the listening socket, as that was when the client connected. */
static gboolean may_bring_descriptors(int fd) {
    int may = 1;
    socklen_t len = sizeof may;

    return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &may, &len) < 0 || may != 0;
}

void mn_wire_init(MnWire *self, int fd) {
    const int bytes = SEND_BUFFER_BYTES;

    *self = (MnWire){ .fd = fd, .may_bring_descriptors = may_bring_descriptors(fd) };
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void mn_wire_clear(MnWire *self) {
    if (self->rest)
        g_string_free(self->rest, TRUE);
    if (self->fd >= 0)
        close(self->fd);
    *self = (MnWire){ .fd = -1 };
}

pid_t mn_wire_find_process(const MnWire *self) {
    struct ucred peer = { 0 };
    socklen_t len = sizeof peer;

    (void)getsockopt(self->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    return peer.pid;
}

/* How much was sent; all of it if the client has gone. */
static gsize send_some(const MnWire *self, const char *text, gsize len) {
    ssize_t n;

    n = send(self->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0)
        return (gsize)n;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM ? 0 : len;
}

gboolean mn_wire_flush(MnWire *self) {
    if (!self->rest)
        return TRUE;
    g_string_erase(self->rest, 0, (gssize)send_some(self, self->rest->str, self->rest->len));
    if (self->rest->len > 0)
        return FALSE;
    g_string_free(self->rest, TRUE);
    self->rest = NULL;
    return TRUE;
}

void mn_wire_send(MnWire *self, const char *text, gsize len) {
    gsize n;

    if (len == 0)
        return;
    n = mn_wire_flush(self) ? send_some(self, text, len) : 0;
    if (n == len)
        return;
    if (!self->rest)
        self->rest = g_string_new(NULL);
    g_string_append_len(self->rest, text + n, (gssize)(len - n));
}

int mn_wire_send_fd(MnWire *self, const char *text, gsize len, int fd) {
    return mn_pass(self->fd, NULL, 0, text, len, fd);
}

/* The kernel counts what was not taken by the other side, by buffers of some hundred bytes. It takes away the last byte of
 * one after it has told us (sock_wfree()), so who looks at once may find it; we would not be told again. */
gboolean mn_wire_is_read(const MnWire *self) {
    int bytes = 0;

    return ioctl(self->fd, SIOCOUTQ, &bytes) < 0 || bytes <= 1;
}

void mn_wire_shut_down(MnWire *self) {
    if (!self->is_shut_down)
        shutdown(self->fd, SHUT_WR);
    self->is_shut_down = TRUE;
}

void mn_wire_cut_off(MnWire *self) {
    shutdown(self->fd, SHUT_RDWR);
    self->is_shut_down = TRUE;
}

void mn_wire_leave(MnWire *self) {
    if (self->may_bring_descriptors)
        self->fd = -1;
}

/* How much can be received without descriptors. The kernel says that there are some if we look without room for them, and
 * goes no further than the first. */
static gssize look_ahead(const MnWire *self, char *buffer, gsize size) {
    struct iovec bytes = { .iov_base = buffer, .iov_len = size };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
    ssize_t n;

    n = recvmsg(self->fd, &message, MSG_DONTWAIT | MSG_PEEK);
    if (n < 0)
        return -errno;
    return n > 0 && (message.msg_flags & MSG_CTRUNC) ? -EPERM : n;
}

gssize mn_wire_receive(const MnWire *self, char *buffer, gsize size) {
    gssize n = self->may_bring_descriptors ? look_ahead(self, buffer, size) : (gssize)size;

    if (n > 0) {
        n = recv(self->fd, buffer, (gsize)n, MSG_DONTWAIT);
        n = n < 0 ? -errno : n;
    }
    return n == -EINTR ? -EAGAIN : n;
}
