/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of others, as names of processes and files are, made fit for a log and a terminal. */
#include "text.h"

#include <string.h>

/* 0 for what is no UTF-8. */
static gsize length_of(const char *text) {
    gsize len = (guchar)g_utf8_skip[(guchar)*text];

    return g_utf8_get_char_validated(text, strnlen(text, len)) < (gunichar)-2 ? len : 0;
}

static gboolean is_printable(gunichar character) {
    GUnicodeType type = g_unichar_type(character);

    return g_unichar_isprint(character) && type != G_UNICODE_LINE_SEPARATOR && type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* "\033" */
static void show_byte(guchar byte, char shown[4]) {
    shown[0] = '\\';
    shown[1] = '0' + (byte >> 6);
    shown[2] = '0' + (byte >> 3 & 7);
    shown[3] = '0' + (byte & 7);
}

gsize mn_text_show_next(const char **text, char shown[MN_TEXT_SHOWN_BYTES]) {
    const char *at = *text;
    gsize len = length_of(at), n_bytes = MAX(len, 1);

    *text += n_bytes;
    if (*at == '\n') {
        memcpy(shown, "\\n", 2);
        return 2;
    }
    if (len > 0 && is_printable(g_utf8_get_char(at))) {
        memcpy(shown, at, len);
        return len;
    }

    for (gsize i = 0; i < n_bytes; i++)
        show_byte(at[i], shown + 4 * i);
    return 4 * n_bytes;
}
