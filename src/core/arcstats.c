/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/spl/kstat/zfs/arcstats:
 *
 *   9 1 0x01 147 39984 5271530817 1006345478613
 *   name                            type data
 *   hits                            4    13113
 *   c_min                           4    1056305152
 *   size                            4    8589934592
 *
 * ZFS has a page cache of its own, the ARC, which the kernel counts as used. */
#include "arcstats.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

/* One of the numbers, and whether it has been found. */
typedef struct Number {
    const char *name; /* with the blank that ends it */
    gboolean is_found;
    guint64 bytes;
} Number;

static void skip_blanks(const char **at, const char *end) {
    while (*at < end && **at == ' ')
        (*at)++;
}

/* What follows the name: "  4    13113" */
static int parse_value(const char *at, const char *end, guint64 *ret) {
    guint64 type;

    skip_blanks(&at, end);
    if (mn_number_parse(&at, end, &type) < 0)
        return -EBADMSG;
    skip_blanks(&at, end);
    return mn_number_parse(&at, end, ret) < 0 || at != end ? -EBADMSG : 0;
}

static int parse_line(Number *number, const char *line, const char *end) {
    gsize len = strlen(number->name);

    if ((gsize)(end - line) < len || memcmp(line, number->name, len) != 0)
        return 0;
    if (number->is_found)
        return -EBADMSG;
    number->is_found = TRUE;
    return parse_value(line + len, end, &number->bytes);
}

int mn_arcstats_parse(const char *text, gsize len, guint64 *ret_reclaimable_bytes) {
    Number size = { .name = "size " }, least = { .name = "c_min " };
    const char *end = text + len;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        newline = memchr(line, '\n', end - line);
        if (parse_line(&size, line, newline) < 0 || parse_line(&least, line, newline) < 0)
            return -EBADMSG;
    }
    if (!size.is_found || !least.is_found)
        return -EBADMSG;

    *ret_reclaimable_bytes = mn_subtract(size.bytes, least.bytes);
    return 0;
}
