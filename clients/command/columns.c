/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of others in columns of a terminal: some characters take two of them, and some none. */
#include "columns.h"

#include "core/text.h"

#include <wchar.h>

/* In octal, as core/text.h has it. */
static gsize show_bytes(const char *at, gsize n, char shown[MN_TEXT_SHOWN_BYTES]) {
    for (gsize i = 0; i < n; i++) {
        guchar byte = (guchar)at[i];

        shown[4 * i] = '\\';
        shown[4 * i + 1] = (char)('0' + (byte >> 6));
        shown[4 * i + 2] = (char)('0' + (byte >> 3 & 7));
        shown[4 * i + 3] = (char)('0' + (byte & 7));
    }
    return 4 * n;
}

/* How many columns what is shown takes; 0: it cannot be shown like that. */
static guint width_of(const char *shown, gsize len, gboolean has_utf8) {
    if ((guchar)shown[0] < 0x80)
        return (guint)len;
    return has_utf8 ? (guint)MAX(wcwidth((wchar_t)g_utf8_get_char(shown)), 0) : 0;
}

guint cmd_columns_append(GString *line, const char *text, guint columns) {
    gboolean has_utf8 = g_get_charset(NULL);
    guint used = 0;

    while (*text) {
        const char *at = text;
        char shown[MN_TEXT_SHOWN_BYTES];
        gsize len = mn_text_show_next(&text, shown);
        guint width = width_of(shown, len, has_utf8);

        if (width == 0) {
            len = show_bytes(at, (gsize)(text - at), shown);
            width = (guint)len;
        }
        if (width > columns - used)
            break;
        g_string_append_len(line, shown, (gssize)len);
        used += width;
    }
    return used;
}
