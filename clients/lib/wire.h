/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to a socket as lines that come in and texts that go out. Nothing here waits. */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>

/* Longer than any line of the server. */
#define WIRE_BYTES 4096

struct wire {
    int fd;          /* -1: not connected */
    int passed_fd;   /* the last descriptor that has come; -1: none */
    size_t first, n; /* what has come and was not taken */
    char bytes[WIRE_BYTES];
};

void wire_init(struct wire *self);

/* 0; -ENAMETOOLONG; -EAGAIN: so many wait that the server has no room; or an error of connect(2). */
int wire_connect(struct wire *self, const char *path);

/* Accepts that it is not connected. */
void wire_disconnect(struct wire *self);

/* All of it, or -errno. That the other end has gone is no error: it may have said why, which is still to be received.
 * */
int wire_send(struct wire *self, const char *text);

/* The next line, without its newline, until the next receive; NULL: there is no whole one. */
char *wire_take_line(struct wire *self);

/* To be called when all lines are taken. 1: there may be more of them now; 0: nothing has come; -ENOTCONN: nothing
 * will; -EPROTO: what comes is no line; or an error of recvmsg(2). */
int wire_receive(struct wire *self);

/* The descriptor that has come last, which is the caller's then; -1: none has. */
int wire_take_fd(struct wire *self);

#endif
