/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users write: "used 80% active 5000" -> MnLimitSet.
 *
 * Parsing never half succeeds: the result is written when the last byte has been understood. */
#include "limit.h"

#include "core/amount.h"
#include "core/number.h"

const char *const mn_op_names[] = { [MN_OP_AT_LEAST] = ">=", [MN_OP_BELOW] = "<" };

/* "5 K" */
static gboolean follows_number(const MnCursor *cursor, const char *place) {
    while (place > cursor->start && g_ascii_isspace(place[-1]))
        place--;
    return place > cursor->start && g_ascii_isdigit(place[-1]);
}

/* Where a name should be. */
static int refuse_name(const MnCursor *cursor, const char *start) {
    char c = start < cursor->end ? *start : '\0';

    if (g_ascii_isdigit(c) || c == '<' || c == '>')
        return mn_cursor_refuse_at(cursor, start, "the name of a meter is missing before it, as in 'used 80%'");
    if (g_ascii_isalpha(c) || c == '_')
        return mn_cursor_refuse_at(cursor, start,
                                   follows_number(cursor, start)
                                       ? "there is no meter of that name; a unit follows its number directly"
                                       : "there is no meter of that name");
    return mn_cursor_refuse_at(cursor, start, "the name of a meter is needed here; a unit follows its number directly");
}

/* A name that is offered and that `seen` does not have yet, and what separates it from its number. */
static int parse_name(MnCursor *cursor, const MnMachine *machine, guint seen, guint *ret) {
    const char *start = cursor->at;
    gboolean separated;
    int id;

    while (cursor->at < cursor->end && (g_ascii_islower(*cursor->at) || *cursor->at == '_'))
        cursor->at++;

    id = mn_meter_find(start, cursor->at - start);
    if (id < 0 || !(machine->offered & MN_METER_BIT(id)))
        return refuse_name(cursor, start);
    if (seen & MN_METER_BIT(id))
        return mn_cursor_refuse_at(cursor, start, "this meter has been named before");

    separated = mn_cursor_skip_separators(cursor);
    if (!separated && g_ascii_isdigit(mn_cursor_peek(cursor)))
        return mn_cursor_refuse(cursor, "a blank is missing between the meter and its number");

    *ret = id;
    return 0;
}

typedef struct Op {
    const char *name;
    MnOp op;
    guint more_pages; /* the limit is at so many pages more than is written */
} Op;

/* Longer names come before those that they begin with. */
static const Op ops[] = {
    { ">=", MN_OP_AT_LEAST, 0 },
    { ">", MN_OP_AT_LEAST, 1 },
    { "<=", MN_OP_BELOW, 1 },
    { "<", MN_OP_BELOW, 0 },
};

/* Blanks alone may stand behind it: "=" would make another operator. "=>" is none, and who writes it means another one
 * than ">". */
static int parse_op(MnCursor *cursor, const Op **ret) {
    *ret = &ops[0];
    if (mn_cursor_peek(cursor) == '>' && cursor->at > cursor->start && cursor->at[-1] == '=' &&
        cursor->end - cursor->at > 1 && cursor->at[1] != '=')
        return mn_cursor_refuse_at(cursor, cursor->at - 1, "'=>' is no operator; '>=' and '>' are");
    for (guint i = 0; i < G_N_ELEMENTS(ops); i++)
        if (mn_cursor_skip_word(cursor, ops[i].name)) {
            *ret = &ops[i];
            break;
        }
    mn_cursor_skip_blanks(cursor);
    return 0;
}

static int parse_amount(MnCursor *cursor, const MnMachine *machine, MnLimit *limit) {
    MnAmount amount;
    int r;

    r = mn_amount_parse(cursor, machine->page_bytes, &amount);
    if (r < 0)
        return r;
    limit->pages = amount.pages;
    limit->micropercent = amount.micropercent;
    return 0;
}

/* With its operator: ">= 80%". */
static int parse_value(MnCursor *cursor, const MnMachine *machine, const Op *op, MnLimit *limit) {
    const char *start = cursor->at;
    int r;

    r = parse_amount(cursor, machine, limit);
    if (r < 0)
        return r;
    limit->op = op->op;
    if (!g_uint64_checked_add(&limit->pages, limit->pages, op->more_pages))
        return mn_cursor_refuse_at(cursor, start, "the number is too large");
    return 0;
}

/* "80%" or ">= 80%" */
static int parse_limit(MnCursor *cursor, const MnMachine *machine, MnLimit *limit) {
    const Op *op;
    int r;

    r = parse_op(cursor, &op);
    return r < 0 ? r : parse_value(cursor, machine, op, limit);
}

static int skip_field_name(MnCursor *cursor, const char *name) {
    mn_cursor_skip_separators(cursor);
    if (!mn_cursor_skip_word(cursor, name))
        return mn_cursor_refuse(cursor, "what a threshold shows is: value= op= limit= reached= crossings=");
    return 0;
}

/* "crossings=3", of which the number does not matter. */
static int skip_field(MnCursor *cursor, const char *name) {
    guint64 number;
    int r;

    r = skip_field_name(cursor, name);
    if (r < 0)
        return r;
    if (mn_number_parse(&cursor->at, cursor->end, &number) < 0 || !mn_cursor_is_at_boundary(cursor))
        return mn_cursor_refuse(cursor, "a number is needed here");
    return 0;
}

/* "value=5123456 op=>= limit=4945632 reached=1 crossings=3", as a threshold is shown. */
static int parse_shown(MnCursor *cursor, const MnMachine *machine, MnLimit *limit) {
    const Op *op = NULL;
    int r;

    r = skip_field(cursor, "value=");
    if (r == 0)
        r = skip_field_name(cursor, "op=");
    if (r == 0)
        r = parse_op(cursor, &op);
    if (r == 0)
        r = skip_field_name(cursor, "limit=");
    if (r == 0)
        r = parse_value(cursor, machine, op, limit);
    if (r == 0)
        r = skip_field(cursor, "reached=");
    if (r == 0)
        r = skip_field(cursor, "crossings=");
    return r;
}

static gboolean is_shown(const MnCursor *cursor) {
    MnCursor ahead = *cursor;

    return mn_cursor_skip_word(&ahead, "value=");
}

/* A name and its limit. */
static int parse_named(MnCursor *cursor, const MnMachine *machine, guint seen, MnLimit *ret) {
    guint meter = 0;
    int r;

    r = parse_name(cursor, machine, seen, &meter);
    if (r < 0)
        return r;
    *ret = (MnLimit){ .meter = meter };
    return is_shown(cursor) ? parse_shown(cursor, machine, ret) : parse_limit(cursor, machine, ret);
}

static void add_limit(MnLimitSet *set, const MnLimit *limit) {
    set->named |= MN_METER_BIT(limit->meter);
    if (limit->micropercent > 0 || limit->pages > 0)
        set->limits[set->n++] = *limit;
}

int mn_limit_set_parse(const char *text, gsize len, const MnMachine *machine, MnFault *fault, MnLimitSet *ret) {
    MnLimitSet parsed = { 0 };
    MnCursor cursor;
    MnLimit limit;
    int r;

    r = mn_cursor_init(&cursor, text, len, fault);
    if (r < 0)
        return r;

    while (!mn_cursor_is_at_end(&cursor)) {
        r = parse_named(&cursor, machine, parsed.named, &limit);
        if (r < 0)
            return r;
        add_limit(&parsed, &limit);
        mn_cursor_skip_separators(&cursor);
    }

    *ret = parsed;
    return 0;
}

int mn_limit_set_parse_one(const char *text, gsize len, const MnMachine *machine, MnMeterId meter, MnFault *fault,
                           MnLimitSet *ret) {
    MnLimitSet parsed = { 0 };
    MnLimit limit = { .meter = meter };
    MnCursor cursor;
    int r;

    r = mn_cursor_init(&cursor, text, len, fault);
    if (r < 0)
        return r;

    if (!mn_cursor_is_at_end(&cursor)) {
        r = parse_limit(&cursor, machine, &limit);
        if (r < 0)
            return r;
        add_limit(&parsed, &limit);
        mn_cursor_skip_separators(&cursor);
    }
    if (!mn_cursor_is_at_end(&cursor))
        return mn_cursor_refuse(&cursor, "there may be one limit here, without the name of the meter");

    *ret = parsed;
    return 0;
}

static gboolean is_same(const MnLimit *one, const MnLimit *other) {
    return one->meter == other->meter && one->op == other->op && one->micropercent == other->micropercent &&
           one->pages == other->pages && one->is_exact == other->is_exact;
}

gboolean mn_limit_set_is_same(const MnLimitSet *one, const MnLimitSet *other) {
    if (one->n != other->n || one->named != other->named)
        return FALSE;
    for (guint i = 0; i < one->n; i++)
        if (!is_same(&one->limits[i], &other->limits[i]))
            return FALSE;
    return TRUE;
}

guint64 mn_limit_pages(const MnLimit *limit, guint64 total_pages) {
    MnAmount share = { .micropercent = limit->micropercent };

    return mn_add(mn_amount_pages(&share, total_pages), limit->pages);
}
