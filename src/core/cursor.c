/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A place in a text, and what separates the parts of it. */
#include "cursor.h"

#include <memnotifyfs/contract.h>
#include <string.h>

static gboolean is_blank(char c) {
    return c != '\0' && strchr(" \t\r\n", c);
}

static gboolean is_separator(char c) {
    return is_blank(c) || c == '=' || c == ':' || c == ',';
}

int mn_cursor_init(MnCursor *self, const char *text, gsize len, MnFault *fault) {
    if (len > MEMNOTIFYFS_LIMITS_MAX)
        return mn_fault_set(fault, MEMNOTIFYFS_LIMITS_MAX, "the text is too long: it may have %d bytes",
                            MEMNOTIFYFS_LIMITS_MAX);
    if (len > 0 && text[len - 1] == '\0')
        len--;

    *self = (MnCursor){ .start = text, .at = text, .end = text + len, .fault = fault };
    mn_cursor_skip_separators(self);
    return 0;
}

/* A NUL is wrong in a comment, too. */
static void skip_comment(MnCursor *self) {
    while (self->at < self->end && *self->at != '\n' && *self->at != '\0')
        self->at++;
}

gboolean mn_cursor_skip_separators(MnCursor *self) {
    const char *start = self->at;

    for (; self->at < self->end; self->at++) {
        if (*self->at == '#')
            skip_comment(self);
        if (self->at == self->end || !is_separator(*self->at))
            break;
    }
    return self->at > start;
}

void mn_cursor_skip_blanks(MnCursor *self) {
    while (self->at < self->end && is_blank(*self->at))
        self->at++;
}

gboolean mn_cursor_skip_word(MnCursor *self, const char *word) {
    gsize len = strlen(word);

    if ((gsize)(self->end - self->at) < len || memcmp(self->at, word, len) != 0)
        return FALSE;
    self->at += len;
    return TRUE;
}

gboolean mn_cursor_is_at_boundary(const MnCursor *self) {
    return self->at == self->end || *self->at == '#' || is_separator(*self->at);
}

int mn_cursor_refuse_at(const MnCursor *self, const char *place, const char *reason) {
    return mn_fault_set(self->fault, (gsize)(place - self->start), "%s", reason);
}

int mn_cursor_refuse(const MnCursor *self, const char *reason) {
    return mn_cursor_refuse_at(self, self->at, reason);
}
