/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of the kernel's pressure/memory <-> MnStalls. */
#include "stall.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

const char *const mn_stall_names[MN_N_STALLS] = { [MN_STALL_SOME] = "some", [MN_STALL_FULL] = "full" };

const guint mn_stall_average_s[MN_N_STALL_AVERAGES] = { 10, 60, 300 };

/* An average is over a hundred per cent only in a damaged text. */
#define HUNDREDTHS_MAX 10000

/* The word behind the blanks at *at, of which *at is then the end. Empty at the end of the line. */
static const char *next_word(const char **at, const char *end) {
    const char *word;

    while (*at < end && **at == ' ')
        ++*at;
    word = *at;
    while (*at < end && **at != ' ')
        ++*at;
    return word;
}

/* "3.07", up to the end of the word. */
static int parse_hundredths(const char *at, const char *end, guint *ret) {
    guint64 whole, part;

    if (mn_number_parse(&at, end, &whole) < 0 || at == end || *at++ != '.' || end - at != 2 ||
        mn_number_parse(&at, end, &part) < 0 || at < end)
        return -EBADMSG;
    *ret = (guint)MIN(MIN(whole, HUNDREDTHS_MAX) * 100 + part, HUNDREDTHS_MAX);
    return 0;
}

static int parse_total(const char *at, const char *end, guint64 *ret) {
    return mn_number_parse(&at, end, ret) < 0 || at < end ? -EBADMSG : 0;
}

static gboolean has_key(const char *word, const char *end, const char *key, const char **ret_value) {
    gsize len = strlen(key);

    if ((gsize)(end - word) < len || memcmp(word, key, len) != 0)
        return FALSE;
    *ret_value = word + len;
    return TRUE;
}

static int parse_average(const char *word, const char *end, MnStall *stall) {
    static const char *const keys[MN_N_STALL_AVERAGES] = { "avg10=", "avg60=", "avg300=" };
    const char *value;

    for (guint i = 0; i < MN_N_STALL_AVERAGES; i++)
        if (has_key(word, end, keys[i], &value))
            return parse_hundredths(value, end, &stall->hundredths[i]);
    return 0;
}

/* What follows "some" or "full". */
static int parse_line(const char *at, const char *end, MnStall *ret) {
    gboolean has_total = FALSE;
    const char *word;

    while ((word = next_word(&at, end)) < at) {
        const char *value;
        int r;

        if (has_key(word, at, "total=", &value)) {
            r = parse_total(value, at, &ret->total_us);
            has_total = TRUE;
        } else {
            r = parse_average(word, at, ret);
        }
        if (r < 0)
            return r;
    }
    return has_total ? 0 : -EBADMSG;
}

/* The MnStallKind of a line, MN_N_STALLS of another; *at is then behind its name. */
static guint find_kind(const char **at, const char *end) {
    const char *name = *at;
    guint kind = 0;

    next_word(at, end);
    while (kind < MN_N_STALLS &&
           ((gsize)(*at - name) != strlen(mn_stall_names[kind]) || memcmp(name, mn_stall_names[kind], *at - name) != 0))
        kind++;
    return kind;
}

/*   some avg10=0.00 avg60=0.00 avg300=0.00 total=1204
 *   full avg10=0.00 avg60=0.00 avg300=0.00 total=311 */
int mn_stalls_parse(const char *text, gsize len, MnStalls *ret) {
    const char *end = text + len;
    MnStalls parsed = { 0 };
    guint found = 0;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (const char *line = text, *newline; line < end; line = newline + 1) {
        guint kind;

        newline = memchr(line, '\n', end - line);
        kind = find_kind(&line, newline);
        if (kind == MN_N_STALLS)
            continue;
        if (parse_line(line, newline, &parsed.lines[kind]) < 0)
            return -EBADMSG;
        found |= MN_STALL_BIT(kind);
    }
    if (!(found & MN_STALL_BIT(MN_STALL_FULL)))
        return -EBADMSG;

    if (!(found & MN_STALL_BIT(MN_STALL_SOME)))
        parsed.lines[MN_STALL_SOME] = parsed.lines[MN_STALL_FULL];
    *ret = parsed;
    return 0;
}

void mn_stalls_print(const MnStalls *self, GString *text) {
    for (guint kind = 0; kind < MN_N_STALLS; kind++) {
        const MnStall *stall = &self->lines[kind];

        g_string_append(text, mn_stall_names[kind]);
        for (guint i = 0; i < MN_N_STALL_AVERAGES; i++)
            g_string_append_printf(text, " avg%u=%u.%02u", mn_stall_average_s[i], stall->hundredths[i] / 100,
                                   stall->hundredths[i] % 100);
        g_string_append_printf(text, " total=%" G_GUINT64_FORMAT "\n", stall->total_us);
    }
}
