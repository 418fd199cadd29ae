/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users write: "used 80% active 5000" -> MnLimitSet.
 *
 * Parsing never half succeeds: the result is written when the last byte has been understood. */
#include "limit.h"

#include "core/number.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <string.h>

const char *const mn_op_names[] = { [MN_OP_AT_LEAST] = ">=", [MN_OP_BELOW] = "<" };

/* The text not yet understood. */
typedef struct Cursor {
    const char *at;
    const char *end;
} Cursor;

static gboolean is_blank(char c) {
    return c != '\0' && strchr(" \t\r\n", c);
}

static gboolean is_separator(char c) {
    return is_blank(c) || c == '=' || c == ':' || c == ',';
}

static void skip_blanks(Cursor *cursor) {
    while (cursor->at < cursor->end && is_blank(*cursor->at))
        cursor->at++;
}

static gboolean skip_separators(Cursor *cursor) {
    const char *start = cursor->at;

    while (cursor->at < cursor->end && is_separator(*cursor->at))
        cursor->at++;
    return cursor->at > start;
}

static int cursor_init(Cursor *cursor, const char *text, gsize len) {
    if (len > MEMNOTIFYFS_LIMITS_MAX)
        return -EINVAL;
    if (len > 0 && text[len - 1] == '\0') /* C clients like to write strlen + 1 bytes */
        len--;

    *cursor = (Cursor){ text, text + len };
    skip_separators(cursor);
    return 0;
}

static gboolean skip_word(Cursor *cursor, const char *word) {
    gsize len = strlen(word);

    if ((gsize)(cursor->end - cursor->at) < len || memcmp(cursor->at, word, len) != 0)
        return FALSE;
    cursor->at += len;
    return TRUE;
}

/* A token has to be followed by a separator or the end of the text. */
static gboolean at_boundary(const Cursor *cursor) {
    return cursor->at == cursor->end || is_separator(*cursor->at);
}

/* A name that is offered and that `seen` does not have yet, and what separates it from its number. */
static int parse_name(Cursor *cursor, const MnMachine *machine, guint seen, guint *ret) {
    const char *start = cursor->at;
    gboolean separated;
    int id;

    while (cursor->at < cursor->end && (g_ascii_islower(*cursor->at) || *cursor->at == '_'))
        cursor->at++;

    id = mn_meter_find(start, cursor->at - start);
    if (id < 0 || !(machine->offered & MN_METER_BIT(id)) || (seen & MN_METER_BIT(id)))
        return -EINVAL;

    separated = skip_separators(cursor);
    if (!separated && cursor->at < cursor->end && g_ascii_isdigit(*cursor->at))
        return -EINVAL;

    *ret = id;
    return 0;
}

static MnOp parse_op(Cursor *cursor) {
    if (skip_word(cursor, mn_op_names[MN_OP_BELOW]))
        return MN_OP_BELOW;
    (void)skip_word(cursor, mn_op_names[MN_OP_AT_LEAST]);
    return MN_OP_AT_LEAST;
}

static int parse_unit_bytes(Cursor *cursor, guint64 *ret) {
    static const char units[] = "KMGT";
    const char *unit;

    unit = memchr(units, g_ascii_toupper(*cursor->at), strlen(units));
    if (!unit)
        return -EINVAL;

    cursor->at++;
    *ret = G_GUINT64_CONSTANT(1024) << (10 * (unit - units));
    return 0;
}

/* "5000", "512M" or "80%" into limit->pages or limit->percent. */
static int parse_amount(Cursor *cursor, const MnMachine *machine, MnLimit *limit) {
    guint64 number, unit_bytes;
    int r;

    r = mn_number_parse(&cursor->at, cursor->end, &number);
    if (r < 0)
        return r;

    if (skip_word(cursor, "%")) {
        if (number > 100)
            return -EINVAL;
        limit->percent = number;
        number = 0;
    } else if (!at_boundary(cursor)) {
        r = parse_unit_bytes(cursor, &unit_bytes);
        if (r < 0)
            return r;
        if (!g_uint64_checked_mul(&number, number, unit_bytes))
            return -EINVAL;
        number = number / machine->page_bytes + (number % machine->page_bytes != 0);
    }
    if (!at_boundary(cursor))
        return -EINVAL;

    limit->pages = number;
    return 0;
}

static int parse_limit(Cursor *cursor, const MnMachine *machine, guint meter, MnLimitSet *set) {
    MnLimit limit = { .meter = meter };
    int r;

    limit.op = parse_op(cursor);
    skip_blanks(cursor); /* alone: "<=" is an operator that there is not */
    r = parse_amount(cursor, machine, &limit);
    if (r < 0)
        return r;

    set->named |= MN_METER_BIT(meter);
    if (limit.percent > 0 || limit.pages > 0)
        set->limits[set->n++] = limit;
    skip_separators(cursor);
    return 0;
}

int mn_limit_set_parse(const char *text, gsize len, const MnMachine *machine, MnLimitSet *ret) {
    MnLimitSet parsed = { 0 };
    guint meter;
    Cursor cursor;
    int r;

    r = cursor_init(&cursor, text, len);
    if (r < 0)
        return r;

    while (cursor.at < cursor.end) {
        r = parse_name(&cursor, machine, parsed.named, &meter);
        if (r < 0)
            return r;
        r = parse_limit(&cursor, machine, meter, &parsed);
        if (r < 0)
            return r;
    }

    *ret = parsed;
    return 0;
}

int mn_limit_set_parse_one(const char *text, gsize len, const MnMachine *machine, MnMeterId meter, MnLimitSet *ret) {
    MnLimitSet parsed = { 0 };
    Cursor cursor;
    int r;

    r = cursor_init(&cursor, text, len);
    if (r < 0)
        return r;

    if (cursor.at < cursor.end) {
        r = parse_limit(&cursor, machine, meter, &parsed);
        if (r < 0)
            return r;
    }
    if (cursor.at < cursor.end)
        return -EINVAL;

    *ret = parsed;
    return 0;
}

guint64 mn_limit_pages(const MnLimit *limit, guint64 total_pages) {
    if (limit->percent == 0)
        return limit->pages;

    /* Rounded up, without overflow: at or above 80 % of 101 pages begins at page 81. */
    return MAX(1, total_pages / 100 * limit->percent + (total_pages % 100 * limit->percent + 99) / 100);
}

int mn_override_parse(const char *text, gsize len, const MnMachine *machine, MnOverride *ret) {
    MnOverride parsed = { 0 };
    guint meter;
    Cursor cursor;
    int r;

    r = cursor_init(&cursor, text, len);
    if (r < 0)
        return r;

    if (skip_word(&cursor, "reset")) {
        skip_separators(&cursor);
        if (cursor.at < cursor.end)
            return -EINVAL;
        parsed.measured = machine->offered;
    }

    while (cursor.at < cursor.end) {
        r = parse_name(&cursor, machine, parsed.fixed | parsed.measured, &meter);
        if (r < 0)
            return r;

        if (skip_word(&cursor, "-")) {
            if (!at_boundary(&cursor))
                return -EINVAL;
            parsed.measured |= MN_METER_BIT(meter);
        } else {
            parsed.values[meter].meter = meter;
            r = parse_amount(&cursor, machine, &parsed.values[meter]);
            if (r < 0)
                return r;
            parsed.fixed |= MN_METER_BIT(meter);
        }
        skip_separators(&cursor);
    }

    *ret = parsed;
    return 0;
}
