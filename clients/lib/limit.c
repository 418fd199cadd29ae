/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"

#include "scan.h"

#include <errno.h>
#include <string.h>

#define MILLION 1000000

static const char separators[] = " =:,";

void limit_flatten(char *text) {
    bool is_comment = false;

    for (; *text; text++) {
        is_comment = *text != '\n' && (is_comment || *text == '#');
        if (is_comment || strchr("\n\r\t", *text))
            *text = ' ';
    }
}

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    { "KiB", 1ULL << 10 }, { "MiB", 1ULL << 20 }, { "GiB", 1ULL << 30 }, { "TiB", 1ULL << 40 },
    { "kB", 1000 },        { "MB", MILLION },     { "GB", 1000000000 },  { "TB", 1000000000000 },
    { "K", 1ULL << 10 },   { "M", 1ULL << 20 },   { "G", 1ULL << 30 },   { "T", 1ULL << 40 },
    { "k", 1ULL << 10 },   { "m", 1ULL << 20 },   { "g", 1ULL << 30 },   { "t", 1ULL << 40 },
};

/* Longer names are there before those that they begin with. */
static uint64_t take_unit(const char **at) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (scan_text(at, units[i].name))
            return units[i].bytes;
    return 0;
}

/* ".25", or nothing, in millionths. */
static uint64_t take_decimals(const char **at) {
    uint64_t millionths = 0, worth = MILLION / 10;

    if (!scan_text(at, "."))
        return 0;
    for (; **at >= '0' && **at <= '9'; ++*at, worth /= 10)
        millionths += worth * (uint64_t)(**at - '0');
    return millionths;
}

/* Rounded up, as the server does. */
static uint64_t to_pages(uint64_t whole, uint64_t millionths, uint64_t unit_bytes, unsigned page_bytes) {
    uint64_t more = (millionths * unit_bytes + MILLION - 1) / MILLION, bytes;

    if (__builtin_mul_overflow(whole, unit_bytes, &bytes) || __builtin_add_overflow(bytes, more, &bytes))
        return UINT64_MAX / page_bytes;
    return bytes / page_bytes + (bytes % page_bytes != 0);
}

/* "80%", "1.5G", "5000" */
static int take_amount(const char **at, unsigned page_bytes, struct limit *limit) {
    const char *start = *at;
    uint64_t whole, millionths, unit_bytes;

    if (scan_number(at, &whole) < 0)
        return -EINVAL;
    millionths = take_decimals(at);
    if (scan_text(at, "%")) {
        if (whole > 100)
            return -EINVAL;
        limit->micropercent = (uint32_t)(whole * MILLION + millionths);
    } else {
        unit_bytes = take_unit(at);
        limit->pages += unit_bytes ? to_pages(whole, millionths, unit_bytes, page_bytes) : whole;
    }
    if (**at && !strchr(separators, **at))
        return -EINVAL;

    limit->amount = start;
    limit->len = (size_t)(*at - start);
    return 0;
}

static const struct {
    const char *name;
    bool is_below;
    unsigned more_pages; /* the limit is at so many pages more than is written */
} ops[] = { { ">=", false, 0 }, { ">", false, 1 }, { "<=", true, 1 }, { "<", true, 0 }, { "", false, 0 } };

static void take_op(const char **at, struct limit *limit) {
    size_t i = 0;

    while (!scan_text(at, ops[i].name)) /* the last one always comes */
        i++;
    limit->op = ops[i].name;
    limit->is_below = ops[i].is_below;
    limit->pages = ops[i].more_pages;
    *at += strspn(*at, separators);
}

/* "<512M" */
static int take_limit(const char **at, unsigned page_bytes, struct limit *limit) {
    take_op(at, limit);
    return take_amount(at, page_bytes, limit);
}

static bool skip_field(const char **at, const char *name) {
    uint64_t number;

    *at += strspn(*at, separators);
    return scan_text(at, name) && scan_number(at, &number) == 0;
}

/* "value=5123456 op=>= limit=4945632 reached=1 crossings=3", as a threshold is shown. */
static int take_shown(const char **at, unsigned page_bytes, struct limit *limit) {
    if (!skip_field(at, "value="))
        return -EINVAL;
    *at += strspn(*at, separators);
    if (!scan_text(at, "op="))
        return -EINVAL;
    take_op(at, limit);
    if (!scan_text(at, "limit=") || take_amount(at, page_bytes, limit) < 0 || !skip_field(at, "reached=") ||
        !skip_field(at, "crossings="))
        return -EINVAL;
    return 0;
}

/* "available<512M" */
static int take_named(const char **at, unsigned page_bytes, struct limit *ret) {
    struct limit limit = { 0 };
    size_t len = strcspn(*at, " =:,<>");

    if (len == 0 || len >= sizeof limit.meter)
        return -EINVAL;
    memcpy(limit.meter, *at, len);
    *at += len;
    *at += strspn(*at, separators);

    *ret = limit;
    return strncmp(*at, "value=", 6) == 0 ? take_shown(at, page_bytes, ret) : take_limit(at, page_bytes, ret);
}

int limit_split_all(const char *text, unsigned page_bytes, struct limit limits[LIMIT_N_MAX], size_t *ret) {
    size_t n = 0;

    for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
        struct limit limit;

        if (take_named(&text, page_bytes, &limit) < 0)
            return -EINVAL;
        if (limit.pages == 0 && limit.micropercent == 0)
            continue;
        if (n == LIMIT_N_MAX)
            return -EINVAL;
        limits[n++] = limit;
    }

    *ret = n;
    return 0;
}

uint64_t limit_at_pages(const struct limit *self, uint64_t total_pages) {
    const uint64_t all = 100ULL * MILLION;
    uint64_t share = self->micropercent;

    if (share > 0) {
        /* Rounded up, without overflow: at or above 80 % of 101 pages begins at page 81. */
        share = total_pages / all * share + (total_pages % all * share + all - 1) / all;
        if (share == 0)
            share = 1;
    }
    return share + self->pages;
}
