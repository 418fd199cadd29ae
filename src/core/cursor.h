/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parsers of limits have in common: where they are in a text, and what separates its parts. */
#pragma once

#include "core/fault.h"

/* The text that was not understood yet. */
typedef struct MnCursor {
    const char *start;
    const char *at;
    const char *end;
    MnFault *fault; /* of who wants to know; or NULL */
} MnCursor;

/* Begins with the first thing in a text, of which a final NUL is ignored: C clients like to write strlen + 1 bytes.
 * -EINVAL for one that is longer than MEMNOTIFYFS_LIMITS_MAX. */
int mn_cursor_init(MnCursor *self, const char *text, gsize len, MnFault *fault) G_GNUC_WARN_UNUSED_RESULT;

static inline gboolean mn_cursor_is_at_end(const MnCursor *self) {
    return self->at == self->end;
}

static inline char mn_cursor_peek(const MnCursor *self) {
    return mn_cursor_is_at_end(self) ? '\0' : *self->at;
}

/* Blanks, newlines, "=", ":", "," and comments, which are from a "#" to the end of the line. Whether there were any. */
gboolean mn_cursor_skip_separators(MnCursor *self);

/* Blanks and newlines alone. */
void mn_cursor_skip_blanks(MnCursor *self);

gboolean mn_cursor_skip_word(MnCursor *self, const char *word);

/* Whether what comes separates, or nothing comes: as behind every part of a text. */
gboolean mn_cursor_is_at_boundary(const MnCursor *self);

/* Says that something is wrong at `place`, or here; -EINVAL. */
int mn_cursor_refuse_at(const MnCursor *self, const char *place, const char *reason);
int mn_cursor_refuse(const MnCursor *self, const char *reason);
