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

void mn_wire_init(MnWire *self, int fd) {
    const int bytes = SEND_BUFFER_BYTES;

    *self = (MnWire){ .fd = fd };
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void mn_wire_clear(MnWire *self) {
    if (self->rest)
        g_string_free(self->rest, TRUE);
    close(self->fd);
    *self = (MnWire){ .fd = -1 };
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

gssize mn_wire_receive(MnWire *self, char *buffer, gsize size) {
    ssize_t n;

    n = recv(self->fd, buffer, size, MSG_DONTWAIT);
    return n < 0 ? (errno == EINTR ? -EAGAIN : -errno) : n;
}
