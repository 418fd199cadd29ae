/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The text that one open file description is in the middle of reading.
 *
 * A read at offset 0 begins a fresh text; later offsets go on in it, so that however small a
 * reader's buffer is it sees one consistent text and then its end. Programs written for a device
 * never seek, so their next read comes at an offset beyond the end; when they are owed one, a fresh
 * text begins at the offset of that read. */
typedef struct MnSnapshot {
    GRefString *text;    /* NULL before the first read; others may be reading it, too */
    off_t base;          /* the file offset of its first byte */
    off_t next;          /* where the last read has ended */
    guint8 asks_again;   /* that read got as much as it had asked for, so that its reader does not know of the end */
    guint8 may_go_on;    /* a read at the end begins a fresh text instead of reporting the end */
    guint8 must_restart; /* so does the next read wherever it is */
} MnSnapshot;

void mn_snapshot_clear(MnSnapshot *self);

/* Whether a read at `offset` needs a fresh text; if so, give it with mn_snapshot_begin(). */
gboolean mn_snapshot_needs_text(const MnSnapshot *self, off_t offset);

/* Begins anew with a text, of which it takes a reference, for a read at `offset`. */
void mn_snapshot_begin(MnSnapshot *self, GRefString *text, off_t offset);

/* How long its text is; 0 before the first read. */
gsize mn_snapshot_get_len(const MnSnapshot *self);

/* The bytes for a read of `size` at `offset`: *ret points into the snapshot. 0 is the end. */
gsize mn_snapshot_read(MnSnapshot *self, off_t offset, gsize size, const char **ret);

/* Whether its reader is in the middle of it. */
gboolean mn_snapshot_has_rest(const MnSnapshot *self);
