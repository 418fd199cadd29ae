/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A client's end of a connection: what goes out and comes in, without ever waiting. */
typedef struct MnWire {
    int fd;        /* owned */
    GString *rest; /* what there was no room for as yet; NULL for nothing */
    gboolean is_shut_down;
    gboolean may_bring_descriptors;
} MnWire;

/* Lets nobody send descriptors who connects to a listening socket from now on, where the kernel can do that. */
void mn_wire_refuse_descriptors(int listening_fd);

/* Takes the descriptor, of a connected stream socket of the family AF_UNIX that does not block. */
void mn_wire_init(MnWire *self, int fd);
void mn_wire_clear(MnWire *self);

/* The process that has connected; 0 when it cannot be seen from here. */
pid_t mn_wire_find_process(const MnWire *self);

/* Sends a text, after what is still to be sent; what there is no room for is kept. A client that has gone is sent
 * nothing, without an error: its end is heard of by whoever waits for it. */
void mn_wire_send(MnWire *self, const char *text, gsize len);

/* Sends a text and with it a copy of a descriptor. To be called when the client has read all that was sent before, so that
 * there is room, and nobody has more than one descriptor of ours on its way. -errno: the client has neither. */
int mn_wire_send_fd(MnWire *self, const char *text, gsize len, int fd) G_GNUC_WARN_UNUSED_RESULT;

/* Sends what is still to be sent, as far as there is room. TRUE when nothing is left. */
gboolean mn_wire_flush(MnWire *self);

/* Whether the client has read all that was sent. */
gboolean mn_wire_is_read(const MnWire *self);

/* Nothing follows what was sent: the client reads that to its end. */
void mn_wire_shut_down(MnWire *self);

/* What has come in, at most `size` bytes: how many, 0 when the client sends no more, -EAGAIN, or another -errno when it has
 * gone. -EPERM: it comes with descriptors, and is left where it is. */
gssize mn_wire_receive(const MnWire *self, char *buffer, gsize size);

/* The client can neither send nor be sent any more; it reads what it was sent. */
void mn_wire_cut_off(MnWire *self);

/* Where there may be descriptors that were not looked at the kernel is to close it when we end, so that we do not wait for
 * that; nothing is to be done with it any more. */
void mn_wire_leave(MnWire *self);
