/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text in which people say what is to be simulated. As with limits, the result is written when the last byte has been
 * understood. */
#include "override.h"

#include <string.h>

/* What moves when memory fills up. */
#define TOGETHER (MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_AVAILABLE) | MN_METER_BIT(MN_METER_FREE))

const char *const mn_condition_names[MN_N_CONDITIONS] = {
    [MN_CONDITION_SWAPPING] = "swapping",
    [MN_CONDITION_LOW] = "low",
    [MN_CONDITION_MIN] = "min",
};

typedef struct Parsing {
    MnCursor cursor;
    const MnMachine *machine;
    MnOverride override;
} Parsing;

typedef struct Name {
    const char *start;
    gsize len;
} Name;

static Name take_name(MnCursor *cursor) {
    Name name = { .start = cursor->at };

    while (g_ascii_islower(mn_cursor_peek(cursor)) || mn_cursor_peek(cursor) == '_')
        cursor->at++;
    name.len = (gsize)(cursor->at - name.start);
    return name;
}

static gboolean is_called(const Name *name, const char *word) {
    return strlen(word) == name->len && memcmp(word, name->start, name->len) == 0;
}

/* Which of the names it is, or -1. */
static int find_word(const Name *name, const char *const *words, guint n) {
    for (guint i = 0; i < n; i++)
        if (is_called(name, words[i]))
            return (int)i;
    return -1;
}

static int refuse_again(const MnCursor *cursor, const Name *name) {
    return mn_cursor_refuse_at(cursor, name->start, "this has been named before");
}

/* What follows a name: "-", or how much. */
static int parse_value(Parsing *self, gboolean *ret_is_measured, MnAmount *ret) {
    MnCursor *cursor = &self->cursor;

    if (!mn_cursor_skip_separators(cursor) && g_ascii_isdigit(mn_cursor_peek(cursor)))
        return mn_cursor_refuse(cursor, "a blank is missing between the name and its number");
    *ret_is_measured = mn_cursor_skip_word(cursor, "-");
    if (!*ret_is_measured)
        return mn_amount_parse(cursor, self->machine->page_bytes, ret);
    return mn_cursor_is_at_boundary(cursor) ? 0 : mn_cursor_refuse(cursor, "a blank is missing here");
}

static int parse_meter(Parsing *self, const Name *name, MnMeterId id) {
    MnOverride *override = &self->override;
    gboolean is_measured;
    int r;

    if ((override->fixed | override->measured | override->together) & MN_METER_BIT(id))
        return refuse_again(&self->cursor, name);
    r = parse_value(self, &is_measured, &override->values[id]);
    *(is_measured ? &override->measured : &override->fixed) |= MN_METER_BIT(id);
    return r;
}

static int parse_stall(Parsing *self, const Name *name, MnStallKind kind) {
    MnStallChoice *choice = &self->override.stalls;
    MnAmount share = { 0 };
    gboolean is_measured;
    int r;

    if ((choice->chosen | choice->measured) & MN_STALL_BIT(kind))
        return refuse_again(&self->cursor, name);
    r = parse_value(self, &is_measured, &share);
    if (r == 0 && (share.pages > 0 || share.micropercent % MN_MICROPERCENT > 0))
        return mn_cursor_refuse_at(&self->cursor, name->start, "a share of the time is needed, in whole per cent");
    *(is_measured ? &choice->measured : &choice->chosen) |= MN_STALL_BIT(kind);
    choice->percent[kind] = (guint8)(share.micropercent / MN_MICROPERCENT);
    return r;
}

/* "memory 90%" */
static int parse_memory(Parsing *self, const Name *name) {
    MnOverride *override = &self->override;
    guint together = self->machine->offered & TOGETHER;
    gboolean is_measured;
    int r;

    if ((override->fixed | override->measured | override->together) & together)
        return refuse_again(&self->cursor, name);
    r = parse_value(self, &is_measured, &override->memory);
    *(is_measured ? &override->measured : &override->together) |= together;
    return r;
}

/* "low", or "low -" */
static int parse_condition(Parsing *self, const Name *name, MnCondition condition) {
    MnOverride *override = &self->override;
    MnCursor *cursor = &self->cursor;
    gboolean is_ended;

    if ((override->begun | override->ended) & MN_CONDITION_BIT(condition))
        return refuse_again(cursor, name);
    if (!mn_cursor_is_at_boundary(cursor) && mn_cursor_peek(cursor) != '-')
        return mn_cursor_refuse(cursor, "a blank is missing here");
    mn_cursor_skip_separators(cursor);
    is_ended = mn_cursor_skip_word(cursor, "-");
    if (is_ended && !mn_cursor_is_at_boundary(cursor))
        return mn_cursor_refuse(cursor, "a blank is missing here");
    *(is_ended ? &override->ended : &override->begun) |= MN_CONDITION_BIT(condition);
    return 0;
}

static int parse_oom(Parsing *self, const Name *name) {
    if (self->override.has_oom)
        return refuse_again(&self->cursor, name);
    self->override.has_oom = TRUE;
    return mn_cursor_is_at_boundary(&self->cursor) ? 0 : mn_cursor_refuse(&self->cursor, "a blank is missing here");
}

/* "pressure medium" */
static int parse_pressure(Parsing *self, const Name *name) {
    Name level;
    int found;

    if (self->override.has_pressure)
        return refuse_again(&self->cursor, name);
    mn_cursor_skip_separators(&self->cursor);
    level = take_name(&self->cursor);
    found = find_word(&level, mn_pressure_names, MN_N_PRESSURES);
    if (found < 0 || !mn_cursor_is_at_boundary(&self->cursor))
        return mn_cursor_refuse_at(&self->cursor, level.start, "low, medium or critical is needed here");
    self->override.has_pressure = TRUE;
    self->override.pressure = (MnPressure)found;
    return 0;
}

static int parse_word(Parsing *self, const Name *name) {
    int found = find_word(name, mn_stall_share_names, MN_N_STALLS);

    if (found >= 0)
        return parse_stall(self, name, (MnStallKind)found);
    found = find_word(name, mn_condition_names, MN_N_CONDITIONS);
    if (found >= 0)
        return parse_condition(self, name, (MnCondition)found);
    if (is_called(name, "memory"))
        return parse_memory(self, name);
    if (is_called(name, "oom"))
        return parse_oom(self, name);
    if (is_called(name, "pressure"))
        return parse_pressure(self, name);
    return mn_cursor_refuse_at(&self->cursor, name->start, "there is nothing of that name that could be simulated");
}

static int parse_one(Parsing *self) {
    Name name = take_name(&self->cursor);
    int id = mn_meter_find(name.start, name.len);

    if (id >= 0 && (self->machine->offered & MN_METER_BIT(id)))
        return parse_meter(self, &name, (MnMeterId)id);
    return parse_word(self, &name);
}

static void end_all(Parsing *self) {
    self->override.measured = self->machine->offered;
    self->override.stalls.measured = MN_ALL_STALLS;
    self->override.ended = MN_ALL_CONDITIONS;
}

int mn_override_parse(const char *text, gsize len, const MnMachine *machine, MnFault *fault, MnOverride *ret) {
    Parsing parsing = { .machine = machine };
    MnCursor *cursor = &parsing.cursor;
    int r;

    r = mn_cursor_init(cursor, text, len, fault);
    if (r < 0)
        return r;

    if (mn_cursor_skip_word(cursor, "reset")) {
        mn_cursor_skip_separators(cursor);
        if (!mn_cursor_is_at_end(cursor))
            return mn_cursor_refuse(cursor, "'reset' stands alone");
        end_all(&parsing);
    }

    while (!mn_cursor_is_at_end(cursor)) {
        r = parse_one(&parsing);
        if (r < 0)
            return r;
        mn_cursor_skip_separators(cursor);
    }

    *ret = parsing.override;
    return 0;
}
