/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One consistent text for each reading, whatever the size of the reader's buffer. */
#include "snapshot.h"

void mn_snapshot_clear(MnSnapshot *self) {
    g_clear_pointer(&self->text, g_ref_string_release);
}

gsize mn_snapshot_get_len(const MnSnapshot *self) {
    return self->text ? g_ref_string_length(self->text) : 0;
}

static gboolean goes_on(const MnSnapshot *self, off_t offset) {
    return self->must_restart ||
           (self->may_go_on && offset >= self->base && offset - self->base >= (off_t)mn_snapshot_get_len(self));
}

gboolean mn_snapshot_needs_text(const MnSnapshot *self, off_t offset) {
    return !self->text || offset == 0 || offset < self->base || goes_on(self, offset);
}

void mn_snapshot_begin(MnSnapshot *self, GRefString *text, off_t offset) {
    /* A client that has moved on by reading or writing sees the beginning at its present offset; a
     * pread() into a file that was not read before sees its middle. */
    self->base = goes_on(self, offset) ? offset : 0;
    self->must_restart = FALSE;
    self->may_go_on = FALSE;

    g_ref_string_acquire(text);
    mn_snapshot_clear(self);
    self->text = text;
}

gsize mn_snapshot_read(MnSnapshot *self, off_t offset, gsize size, const char **ret) {
    gsize len = mn_snapshot_get_len(self), n = 0;
    off_t at = offset - self->base;

    if (at < (off_t)len) {
        *ret = self->text + at;
        n = MIN(size, len - (gsize)at);
    }
    self->next = offset + (off_t)n;
    self->asks_again = n == size;
    return n;
}

gboolean mn_snapshot_has_rest(const MnSnapshot *self) {
    return self->next > self->base && self->next - self->base < (off_t)mn_snapshot_get_len(self);
}
