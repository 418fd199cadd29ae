/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bytes, and descriptors that go with them, on their way from one process to another. */
typedef struct MnParcel {
    GByteArray *bytes;
    GArray *fds;     /* of int, owned; -1 for one that was taken out */
    gboolean is_cut; /* descriptors were lost: the receiver had no room for them */
} MnParcel;

void mn_parcel_init(MnParcel *self);
void mn_parcel_clear(MnParcel *self); /* closes what is left */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnParcel, mn_parcel_clear)

void mn_parcel_add(MnParcel *self, gconstpointer bytes, gsize len);
void mn_parcel_add_fd(MnParcel *self, int fd); /* which is the parcel's then */

/* The descriptor in that place; -1 where there is none. With steal it is the caller's then. */
int mn_parcel_get_fd(const MnParcel *self, guint place);
int mn_parcel_steal_fd(MnParcel *self, guint place);

/* Sends bytes and descriptors, which stay the caller's, through a socket of type SOCK_SEQPACKET; `word` goes
 * with them. `flags` are those of send(2). -errno when not all of it could be sent. */
int mn_parcel_send(int socket, gint64 word, gconstpointer bytes, gsize len, const int *fds, guint n_fds, int flags)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds what arrives with one message. 1: that was the last, and *ret_word is what was sent with it; 0: more is
 * to come; -EPIPE: the other side has ended; -errno. */
int mn_parcel_receive(MnParcel *self, int socket, int flags, gint64 *ret_word) G_GNUC_WARN_UNUSED_RESULT;
