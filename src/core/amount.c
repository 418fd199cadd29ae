/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers with units, as people write them. */
#include "amount.h"

#include "core/number.h"

#include <string.h>

#define DECIMALS_MAX 6
#define MILLION G_GUINT64_CONSTANT(1000000)

typedef struct Unit {
    const char *name;
    guint64 bytes;
} Unit;

/* "KB" is not here: to some it is 1000 bytes, to others 1024. */
static const Unit units[] = {
    { "K", G_GUINT64_CONSTANT(1) << 10 },   { "k", G_GUINT64_CONSTANT(1) << 10 },
    { "KiB", G_GUINT64_CONSTANT(1) << 10 }, { "kB", G_GUINT64_CONSTANT(1000) },
    { "M", G_GUINT64_CONSTANT(1) << 20 },   { "m", G_GUINT64_CONSTANT(1) << 20 },
    { "MiB", G_GUINT64_CONSTANT(1) << 20 }, { "MB", G_GUINT64_CONSTANT(1000000) },
    { "G", G_GUINT64_CONSTANT(1) << 30 },   { "g", G_GUINT64_CONSTANT(1) << 30 },
    { "GiB", G_GUINT64_CONSTANT(1) << 30 }, { "GB", G_GUINT64_CONSTANT(1000000000) },
    { "T", G_GUINT64_CONSTANT(1) << 40 },   { "t", G_GUINT64_CONSTANT(1) << 40 },
    { "TiB", G_GUINT64_CONSTANT(1) << 40 }, { "TB", G_GUINT64_CONSTANT(1000000000000) },
};

/* A number and where it begins. */
typedef struct Decimal {
    const char *start;
    guint64 whole;
    guint64 millionths;
    gboolean has_decimals;
} Decimal;

static int refuse_large(const MnCursor *cursor, const Decimal *decimal) {
    return mn_cursor_refuse_at(cursor, decimal->start, "the number is too large");
}

/* "5" behind the point of "7.5" */
static int parse_decimals(MnCursor *cursor, Decimal *decimal) {
    const char *start = cursor->at;

    while (cursor->at < cursor->end && g_ascii_isdigit(*cursor->at)) {
        if (cursor->at - start == DECIMALS_MAX)
            return mn_cursor_refuse(cursor, "there may be six decimals at most");
        decimal->millionths = decimal->millionths * 10 + (guint64)(*cursor->at++ - '0');
    }
    if (cursor->at == start)
        return mn_cursor_refuse(cursor, "a decimal is needed behind the point");

    for (gssize n = cursor->at - start; n < DECIMALS_MAX; n++)
        decimal->millionths *= 10;
    decimal->has_decimals = TRUE;
    return 0;
}

static int parse_decimal(MnCursor *cursor, Decimal *ret) {
    *ret = (Decimal){ .start = cursor->at };
    if (mn_cursor_is_at_end(cursor))
        return mn_cursor_refuse(cursor, "a number is missing at the end");
    if (!g_ascii_isdigit(*cursor->at))
        return mn_cursor_refuse(cursor, *cursor->at == '-' ? "a number cannot be negative" : "a number is needed here");
    if (mn_number_parse(&cursor->at, cursor->end, &ret->whole) < 0)
        return refuse_large(cursor, ret);
    return mn_cursor_skip_word(cursor, ".") ? parse_decimals(cursor, ret) : 0;
}

static const Unit *find_unit(const char *name, gsize len) {
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
            return &units[i];
    return NULL;
}

/* NULL when the letters that come are none. */
static const Unit *take_unit_name(MnCursor *cursor) {
    const char *start = cursor->at;

    while (cursor->at < cursor->end && g_ascii_isalpha(*cursor->at))
        cursor->at++;
    return find_unit(start, (gsize)(cursor->at - start));
}

static int refuse_unit(const MnCursor *cursor, const char *start) {
    return mn_cursor_refuse_at(
        cursor, start, "there is no such unit; K M G T, KiB MiB GiB TiB are by 1024, kB MB GB TB by 1000, % of total");
}

/* In millionths there is room for every unit. */
static int scale_to_pages(const MnCursor *cursor, const Decimal *decimal, guint64 unit_bytes, guint page_bytes,
                          guint64 *ret) {
    guint64 bytes, more = (decimal->millionths * unit_bytes + MILLION - 1) / MILLION;

    if (!g_uint64_checked_mul(&bytes, decimal->whole, unit_bytes) || !g_uint64_checked_add(&bytes, bytes, more))
        return refuse_large(cursor, decimal);
    *ret = bytes / page_bytes + (bytes % page_bytes != 0);
    return 0;
}

static int take_share(const MnCursor *cursor, const Decimal *decimal, MnAmount *ret) {
    if (decimal->whole > 100 || (decimal->whole == 100 && decimal->millionths > 0))
        return mn_cursor_refuse_at(cursor, decimal->start, "more than 100 % of total cannot be");
    ret->micropercent = (guint32)(decimal->whole * MN_MICROPERCENT + decimal->millionths);
    return 0;
}

static int take_unit(MnCursor *cursor, const Decimal *decimal, guint page_bytes, MnAmount *ret) {
    const char *start = cursor->at;
    const Unit *unit;

    if (mn_cursor_skip_word(cursor, "%"))
        return take_share(cursor, decimal, ret);
    if (!mn_cursor_is_at_boundary(cursor)) {
        unit = take_unit_name(cursor);
        return unit ? scale_to_pages(cursor, decimal, unit->bytes, page_bytes, &ret->pages)
                    : refuse_unit(cursor, start);
    }
    if (decimal->has_decimals)
        return mn_cursor_refuse_at(cursor, decimal->start, "pages have no decimals; a unit is missing");
    ret->pages = decimal->whole;
    return 0;
}

int mn_amount_parse(MnCursor *cursor, guint page_bytes, MnAmount *ret) {
    MnAmount amount = { 0 };
    Decimal decimal;
    int r;

    r = parse_decimal(cursor, &decimal);
    if (r == 0)
        r = take_unit(cursor, &decimal, page_bytes, &amount);
    if (r < 0)
        return r;
    if (!mn_cursor_is_at_boundary(cursor))
        return mn_cursor_refuse(cursor, "a blank is missing here");

    *ret = amount;
    return 0;
}

guint64 mn_amount_pages(const MnAmount *self, guint64 total_pages) {
    const guint64 all = G_GUINT64_CONSTANT(100) * MN_MICROPERCENT;
    guint64 share = self->micropercent;

    if (share == 0)
        return self->pages;

    /* Rounded up, without overflow: at or above 80 % of 101 pages begins at page 81. */
    share = total_pages / all * share + (total_pages % all * share + all - 1) / all;
    return MAX(1, share);
}
