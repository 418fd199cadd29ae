/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The last frames of a recording, in memory of a fixed size: each that comes takes the place of the oldest. */
typedef struct CmdRing CmdRing;

CmdRing *cmd_ring_new(gsize size);
void cmd_ring_free(CmdRing *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdRing, cmd_ring_free)

/* Keeps a frame. FALSE: it is larger than the ring, which is empty then. Allocates nothing. */
gboolean cmd_ring_put(CmdRing *self, const guint8 *frame, gsize len);

/* Calls each() for the bytes of all frames, the oldest first. */
void cmd_ring_each(const CmdRing *self, void (*each)(const guint8 *bytes, gsize len, gpointer data), gpointer data);

guint cmd_ring_get_n_frames(const CmdRing *self);
