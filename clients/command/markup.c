/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "markup.h"

#include <math.h>
#include <string.h>

void cmd_markup_append(GString *page, const char *format, ...) {
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_markup_vprintf_escaped(format, arguments);
    va_end(arguments);
    g_string_append(page, text);
}

void cmd_markup_append_number(GString *page, double number, guint decimals) {
    char format[] = "%.0f", text[G_ASCII_DTOSTR_BUF_SIZE];
    gsize len;

    g_assert(decimals < 10);
    format[2] = (char)('0' + decimals);
    if (fabs(number) > 1e9) /* nothing of a page is so large */
        number = number > 0 ? 1e9 : -1e9;
    g_ascii_formatd(text, sizeof text, format, number);
    len = strlen(text);
    while (decimals > 0 && text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[--len] = '\0';
    g_string_append(page, text);
}

/* "<" is in strings only, where it may be written so. */
void cmd_markup_append_json(GString *page, const char *json) {
    for (; *json; json++)
        if (*json == '<')
            g_string_append(page, "\\u003c");
        else
            g_string_append_c(page, *json);
}

char *cmd_markup_hash(const char *text) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize len = sizeof digest;
    g_autofree char *base64 = NULL;

    g_checksum_update(checksum, (const guchar *)text, -1);
    g_checksum_get_digest(checksum, digest, &len);
    base64 = g_base64_encode(digest, len);
    return g_strdup_printf("'sha256-%s'", base64);
}
