/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames one behind the other, each with its length before it, round and round. */
#include "recordring.h"

#include <string.h>

struct CmdRing {
    guint8 *bytes;
    gsize size;
    gsize first; /* where the oldest frame begins */
    gsize used;
    guint n_frames;
};

typedef guint32 Length;

CmdRing *cmd_ring_new(gsize size) {
    CmdRing *self = g_new0(CmdRing, 1);

    self->bytes = g_malloc0(size);
    self->size = size;
    return self;
}

void cmd_ring_free(CmdRing *self) {
    if (!self)
        return;
    g_free(self->bytes);
    g_free(self);
}

/* How much of `len` bytes from there on is in one piece. */
static gsize piece(const CmdRing *self, gsize at, gsize len) {
    return MIN(len, self->size - at % self->size);
}

static void copy_in(CmdRing *self, gsize at, const void *bytes, gsize len) {
    gsize first = piece(self, at, len);

    memcpy(self->bytes + at % self->size, bytes, first);
    memcpy(self->bytes, (const guint8 *)bytes + first, len - first);
}

static gsize length_at(const CmdRing *self, gsize at) {
    Length length;
    gsize first = piece(self, at, sizeof length);

    memcpy(&length, self->bytes + at % self->size, first);
    memcpy((guint8 *)&length + first, self->bytes, sizeof length - first);
    return length;
}

static void drop_oldest(CmdRing *self) {
    gsize taken = sizeof(Length) + length_at(self, self->first);

    self->first = (self->first + taken) % self->size;
    self->used -= taken;
    self->n_frames--;
}

gboolean cmd_ring_put(CmdRing *self, const guint8 *frame, gsize len) {
    Length length = (Length)len;
    gsize taken = sizeof length + len;

    while (self->n_frames > 0 && self->used + taken > self->size)
        drop_oldest(self);
    if (taken > self->size)
        return FALSE;
    copy_in(self, self->first + self->used, &length, sizeof length);
    copy_in(self, self->first + self->used + sizeof length, frame, len);
    self->used += taken;
    self->n_frames++;
    return TRUE;
}

void cmd_ring_each(const CmdRing *self, void (*each)(const guint8 *bytes, gsize len, gpointer data), gpointer data) {
    gsize at = self->first;

    for (guint i = 0; i < self->n_frames; i++) {
        gsize len = length_at(self, at), from = at + sizeof(Length), first = piece(self, from, len);

        each(self->bytes + from % self->size, first, data);
        if (first < len)
            each(self->bytes, len - first, data);
        at = (from + len) % self->size;
    }
}

guint cmd_ring_get_n_frames(const CmdRing *self) {
    return self->n_frames;
}
