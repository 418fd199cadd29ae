/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with a text, and the text with a caret below the place. */
#include "fault.h"

#include "core/text.h"

#include <errno.h>
#include <string.h>

#define INDENT "    "
#define CUT "..."

/* Of the text, so many bytes are shown before the fault, and from there on so many as they are shown. */
#define BEFORE_BYTES 20
#define LINE_BYTES 56

/* The most of a text that makes a line. */
#define PART_BYTES (BEFORE_BYTES + LINE_BYTES)

int mn_fault_set(MnFault *self, gsize at, const char *format, ...) {
    va_list arguments;

    if (self) {
        self->at = at;
        va_start(arguments, format);
        g_vsnprintf(self->reason, sizeof self->reason, format, arguments);
        va_end(arguments);
    }
    return -EINVAL;
}

/* echo(1) ends its text with a newline, and programs in C with a NUL; neither is worth showing. */
static gsize length_without_end(const char *text, gsize len) {
    if (len > 0 && text[len - 1] == '\0')
        len--;
    if (len > 0 && text[len - 1] == '\n')
        len--;
    return len;
}

/* Where a line begins that shows the byte `at`: with a whole character. */
static gsize find_beginning(const char *text, gsize at) {
    gsize begin = at > BEFORE_BYTES ? at - BEFORE_BYTES : 0;

    while (begin > 0 && begin < at && ((guchar)text[begin] & 0xc0) == 0x80)
        begin++;
    return begin;
}

/* Appends what is shown up to `end`, as far as there is room, and moves *text behind that. */
static void append_part(const char **text, const char *end, GString *shown) {
    char character[MN_TEXT_SHOWN_BYTES];
    gsize first = shown->len;

    while (*text < end && shown->len - first < LINE_BYTES) {
        gsize n = mn_text_show_next(text, character);

        g_string_append_len(shown, character, (gssize)n);
    }
}

void mn_fault_show(const MnFault *self, const char *text, gsize len, GString *shown) {
    gsize end = length_without_end(text, len), at = self->reason[0] ? MIN(self->at, end) : 0;
    gsize begin = find_beginning(text, at), part_len = MIN(end - begin, PART_BYTES);
    char part[PART_BYTES + 1] = { 0 }; /* what shows a character looks for a NUL */
    const char *next = part;
    gsize line = shown->len;
    glong column;

    memcpy(part, text + begin, part_len);
    g_string_append_printf(shown, INDENT "%s", begin > 0 ? CUT : "");
    append_part(&next, part + (at - begin), shown);
    column = g_utf8_strlen(shown->str + line, (gssize)(shown->len - line));
    append_part(&next, part + part_len, shown);
    g_string_append_printf(shown, "%s\n", next < part + (end - begin) ? CUT : "");
    if (self->reason[0])
        g_string_append_printf(shown, "%*s^\n", (int)column, "");
}
