/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scenario is words and what belongs to each, joined by blanks and newlines. While it is read the time is kept: nothing may
 * be asked for at a time that has passed. */
#include "scenarioparse.h"

#include "core/number.h"
#include "script/scenariohead.h"
#include "script/scenariowords.h"

#include <errno.h>
#include <string.h>

typedef struct Parsing {
    MnCursor cursor;
    MnScenarioPlan *plan;
    gint64 now_us; /* since the beginning of the turn */
} Parsing;

static int refuse(const Parsing *self, const char *at, const char *reason) {
    return mn_cursor_refuse_at(&self->cursor, at, reason);
}

/* --- what happens --- */

static void add_step(Parsing *self, const MnScenarioStep *step) {
    g_array_append_val(self->plan->steps, *step);
}

static int add_target(Parsing *self, const MnScenarioWord *word, MnScenarioAim aim, MnMeterId meter, guint node,
                      MnScenarioStep *step) {
    MnScenarioTarget target = { .aim = aim, .meter = meter, .node = node };
    int r;

    target.at = (gsize)(word->start - self->cursor.start);
    r = mn_scenario_take_amount(&self->cursor, &target.amount);
    if (r < 0)
        return r;
    g_array_append_val(self->plan->targets, target);
    step->n++;
    return 0;
}

/* "node 1 free 2%" */
static int take_node(Parsing *self, const MnScenarioWord *word, MnScenarioStep *step) {
    guint64 number;
    int r;

    r = mn_scenario_take_number(&self->cursor, self->plan->nodes.n - 1, &number);
    if (r == 0 && !mn_scenario_word_take_if(&self->cursor, "free"))
        r = refuse(self, self->cursor.at, "'free' is needed here, and how much");
    return r < 0 ? r : add_target(self, word, MN_SCENARIO_NODE, 0, (guint)number, step);
}

static int find_aim(const Parsing *self, const MnScenarioWord *word, MnScenarioAim *ret) {
    const MnScenarioPlan *plan = self->plan;
    const struct {
        const char *name;
        MnScenarioAim aim;
        gboolean is_there;
    } aims[] = { { "memory", MN_SCENARIO_MEMORY, !plan->machine.is_group },
                 { "limit", MN_SCENARIO_MEMORY, plan->machine.is_group },
                 { "swap", MN_SCENARIO_SWAP, TRUE },
                 { "arc", MN_SCENARIO_ARC, plan->has_arc } };

    for (guint i = 0; i < G_N_ELEMENTS(aims); i++)
        if (mn_scenario_word_is(word, aims[i].name) && aims[i].is_there) {
            *ret = aims[i].aim;
            return 0;
        }
    return -ENOENT;
}

/* 1 when there was something that can be so much. */
static int take_target(Parsing *self, MnScenarioStep *step) {
    MnScenarioWord word = mn_scenario_word_peek(&self->cursor);
    int meter = word.len > 0 ? mn_meter_find(word.start, word.len) : -1, r;
    MnScenarioAim aim;

    if (meter >= 0 && !mn_scenario_machine_can_set((MnMeterId)meter))
        return refuse(self, word.start, "this follows from the others");
    if (meter >= 0) {
        mn_scenario_word_take(&self->cursor, &word);
        r = add_target(self, &word, MN_SCENARIO_METER, (MnMeterId)meter, 0, step);
    } else if (mn_scenario_word_is(&word, "node")) {
        mn_scenario_word_take(&self->cursor, &word);
        r = take_node(self, &word, step);
    } else if (find_aim(self, &word, &aim) == 0) {
        mn_scenario_word_take(&self->cursor, &word);
        r = add_target(self, &word, aim, 0, 0, step);
    } else {
        return 0;
    }
    return r < 0 ? r : 1;
}

static int take_targets(Parsing *self, MnScenarioStep *step) {
    int r;

    step->first = self->plan->targets->len;
    while ((r = take_target(self, step)) > 0)
        continue;
    return r;
}

static int pass(Parsing *self, const char *at, gint64 us) {
    if (us > MN_SCENARIO_TIME_MAX_US - self->now_us)
        return refuse(self, at, "this takes more than ten thousand days");
    self->now_us += us;
    return 0;
}

static int parse_at(Parsing *self, MnScenarioStep *step) {
    const char *at = self->cursor.at;
    int r;

    step->op = MN_SCENARIO_AT;
    r = mn_scenario_take_duration(&self->cursor, &step->us);
    if (r == 0 && step->us < self->now_us)
        r = refuse(self, at, "this time has passed already");
    if (r == 0)
        self->now_us = step->us;
    return r;
}

static int parse_wait(Parsing *self, MnScenarioStep *step) {
    const char *at = self->cursor.at;
    gint64 us;
    int r;

    step->op = MN_SCENARIO_AT;
    r = mn_scenario_take_duration(&self->cursor, &us);
    if (r == 0)
        r = pass(self, at, us);
    step->us = self->now_us;
    return r;
}

static int parse_over(Parsing *self, MnScenarioStep *step) {
    const char *at = self->cursor.at;
    int r;

    step->op = MN_SCENARIO_OVER;
    r = mn_scenario_take_duration(&self->cursor, &step->us);
    if (r == 0)
        r = pass(self, at, step->us);
    if (r == 0)
        r = take_targets(self, step);
    if (r == 0 && step->n == 0)
        r = refuse(self, self->cursor.at, "what is to change? A meter, and how much it is to be");
    return r;
}

static int parse_every(Parsing *self, MnScenarioStep *step) {
    const char *at = self->cursor.at;
    int r;

    step->op = MN_SCENARIO_EVERY;
    r = mn_scenario_take_duration(&self->cursor, &step->us);
    if (r == 0 && step->us < G_TIME_SPAN_MILLISECOND)
        r = refuse(self, at, "a millisecond at least");
    return r;
}

static int parse_noise(Parsing *self, const MnScenarioWord *word, MnScenarioStep *step) {
    guint64 seed = 0;
    int r;

    step->op = MN_SCENARIO_NOISE;
    step->first = self->plan->targets->len;
    r = add_target(self, word, MN_SCENARIO_METER, MN_METER_ANON, 0, step);
    if (r == 0 && mn_scenario_word_take_if(&self->cursor, "seed"))
        r = mn_scenario_take_number(&self->cursor, G_MAXUINT32, &seed);
    step->seed = (guint)seed;
    return r;
}

static int parse_stall(Parsing *self, MnStallKind kind, MnScenarioStep *step) {
    const char *at = self->cursor.at;
    MnAmount share;
    int r;

    step->op = MN_SCENARIO_STALL;
    r = mn_scenario_take_amount(&self->cursor, &share);
    if (r == 0 && (share.pages > 0 || share.micropercent % MN_MICROPERCENT > 0))
        r = refuse(self, at, "a share of the time is needed, in whole per cent");
    step->stalls.chosen = MN_STALL_BIT(kind);
    step->stalls.percent[kind] = (guint8)(r == 0 ? share.micropercent / MN_MICROPERCENT : 0);
    return r;
}

static int parse_pressure(Parsing *self, MnScenarioStep *step) {
    step->op = MN_SCENARIO_PRESS;
    for (guint i = 0; i < MN_N_PRESSURES; i++)
        if (mn_scenario_word_take_if(&self->cursor, mn_pressure_names[i])) {
            step->level = (MnPressure)i;
            return 0;
        }
    return refuse(self, self->cursor.at, "low, medium or critical is needed here");
}

static int parse_steps(Parsing *self, guint depth);

/* The time of a turn begins anew. */
static int parse_repeat(Parsing *self, const char *at, guint depth) {
    MnScenarioStep step = { .op = MN_SCENARIO_REPEAT, .at = (gsize)(at - self->cursor.start) };
    const MnScenarioStep end = { .op = MN_SCENARIO_END };
    gint64 before_us = self->now_us, turn_us;
    guint64 times;
    int r;

    if (depth == MN_SCENARIO_DEPTH_MAX)
        return refuse(self, at, "this is repeated in too many ways");
    r = mn_scenario_take_number(&self->cursor, MN_SCENARIO_TIMES_MAX, &times);
    if (r == 0)
        r = mn_scenario_take_brace(&self->cursor, '{', "'{' is needed here, and what is repeated");
    if (r < 0)
        return r;
    step.times = (guint)times;
    add_step(self, &step);
    self->now_us = 0;
    r = parse_steps(self, depth + 1);
    if (r == 0)
        r = mn_scenario_take_brace(&self->cursor, '}', "'}' is missing here");
    if (r < 0)
        return r;
    turn_us = self->now_us;
    self->now_us = before_us;
    if (turn_us == 0)
        return refuse(self, at, "what is repeated takes no time");
    if (times > 0 && turn_us > MN_SCENARIO_TIME_MAX_US / (gint64)times)
        return refuse(self, at, "this takes more than ten thousand days");
    add_step(self, &end);
    return pass(self, at, turn_us * (gint64)times);
}

/* What begins with a word of its own; -ENOENT for others. */
static int parse_word(Parsing *self, const MnScenarioWord *word, MnScenarioStep *step) {
    static const struct {
        const char *name;
        int (*parse)(Parsing *self, MnScenarioStep *step);
    } words[] = { { "at", parse_at },
                  { "wait", parse_wait },
                  { "over", parse_over },
                  { "every", parse_every },
                  { "pressure", parse_pressure } };

    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (mn_scenario_word_is(word, words[i].name)) {
            mn_scenario_word_take(&self->cursor, word);
            return words[i].parse(self, step);
        }
    for (MnStallKind kind = 0; kind < MN_N_STALLS; kind++)
        if (mn_scenario_word_is(word, mn_stall_share_names[kind])) {
            mn_scenario_word_take(&self->cursor, word);
            return parse_stall(self, kind, step);
        }
    if (mn_scenario_word_is(word, "oom") || mn_scenario_word_is(word, "noise"))
        mn_scenario_word_take(&self->cursor, word);
    if (mn_scenario_word_is(word, "noise"))
        return parse_noise(self, word, step);
    step->op = MN_SCENARIO_OOM;
    return mn_scenario_word_is(word, "oom") ? 0 : -ENOENT;
}

static int parse_step(Parsing *self, guint depth) {
    MnScenarioWord word = mn_scenario_word_peek(&self->cursor);
    MnScenarioStep step = { .op = MN_SCENARIO_SET, .at = (gsize)(word.start - self->cursor.start) };
    int r;

    if (mn_scenario_word_is(&word, "repeat")) {
        mn_scenario_word_take(&self->cursor, &word);
        return parse_repeat(self, word.start, depth);
    }
    r = parse_word(self, &word, &step);
    if (r == -ENOENT) {
        step.op = MN_SCENARIO_SET;
        r = take_targets(self, &step);
        if (r == 0 && step.n == 0)
            r = refuse(self, word.start, "there is nothing of that name here");
    }
    if (r == 0)
        add_step(self, &step);
    return r;
}

static int parse_steps(Parsing *self, guint depth) {
    int r = 0;

    while (r == 0 && !mn_cursor_is_at_end(&self->cursor) && mn_cursor_peek(&self->cursor) != '}')
        r = parse_step(self, depth);
    return r;
}

int mn_scenario_parse(const char *text, gsize len, MnFault *fault, MnScenarioPlan *ret) {
    Parsing parsing = { .cursor = { .start = text, .at = text, .end = text + len, .fault = fault }, .plan = ret };
    int r;

    *ret = (MnScenarioPlan){ .steps = g_array_new(FALSE, TRUE, sizeof(MnScenarioStep)),
                             .targets = g_array_new(FALSE, TRUE, sizeof(MnScenarioTarget)) };
    mn_cursor_skip_separators(&parsing.cursor);
    r = mn_scenario_parse_machine(&parsing.cursor, ret);
    if (r == 0)
        r = parse_steps(&parsing, 0);
    if (r == 0 && !mn_cursor_is_at_end(&parsing.cursor))
        r = refuse(&parsing, parsing.cursor.at, "'}' without '{'");
    return r;
}

void mn_scenario_plan_clear(MnScenarioPlan *self) {
    if (self->steps)
        g_array_free(self->steps, TRUE);
    if (self->targets)
        g_array_free(self->targets, TRUE);
    *self = (MnScenarioPlan){ 0 };
}
