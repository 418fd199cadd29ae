/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kind of script that is made up as it is gone through: what is written is done up to where it takes time, and then there
 * are moments in which what moves has moved on. */
#include "script/kind.h"

#include "core/number.h"
#include "script/scenarioparse.h"
#include "script/scenariowords.h"

#include <errno.h>
#include <string.h>

/* How far apart moments are, while something moves and while nothing does. */
#define EVERY_US (100 * G_TIME_SPAN_MILLISECOND)
#define IDLE_US G_TIME_SPAN_SECOND

typedef struct Turn {
    guint step; /* the first that is repeated */
    guint left; /* times */
    gint64 outer_us;
} Turn;

typedef struct MnScenario {
    MnScript script;
    MnScenarioPlan plan;
    GPtrArray *contents; /* GString, of the texts of the script */
    gboolean has_begun;

    char *path; /* for what turns out to be wrong */
    char *text;
    gboolean is_impossible; /* that was said, and there is nothing more */

    /* What is done. */
    guint next_step;
    gint64 turn_us; /* when the present turn began, or all of it */
    Turn turns[MN_SCENARIO_DEPTH_MAX];
    guint n_turns;

    /* What takes time: targets that move, or none. */
    const MnScenarioStep *span; /* NULL: there is nothing more to do */
    gint64 span_from_us, span_to_us;
    GArray *ways; /* Way, of each target */
    gint64 every_us;

    /* What there is. */
    MnScenarioMachine machine;
    MnScenarioMachine shown; /* with the noise */
    MnScenarioNodes nodes;
    MnScenarioCounters counters;
    MnStallShare stalls;
    guint64 noise_pages;
    guint64 noise_state;
} MnScenario;

/* From where to where a target moves. */
typedef struct Way {
    guint64 from, to;
} Way;

#define TOO_MUCH "it cannot be so much, or so little, with all the rest"

/* --- what is asked for --- */

static guint64 all_pages(const MnScenario *self) {
    return self->machine.total + self->machine.swap_total;
}

static const MnScenarioTarget *target_at(const MnScenario *self, guint i) {
    return &g_array_index(self->plan.targets, MnScenarioTarget, i);
}

/* What of the machine it is, where it is not a meter. */
static guint64 *part_of(MnScenario *self, const MnScenarioTarget *target) {
    switch (target->aim) {
    case MN_SCENARIO_MEMORY:
        return &self->machine.total;
    case MN_SCENARIO_SWAP:
        return &self->machine.swap_total;
    case MN_SCENARIO_ARC:
        return &self->machine.arc;
    case MN_SCENARIO_NODE:
        return &self->nodes.nodes[target->node].free;
    default:
        return NULL;
    }
}

static guint64 get(MnScenario *self, const MnScenarioTarget *target) {
    const guint64 *part = part_of(self, target);
    guint64 pages = part ? *part : mn_scenario_machine_get(&self->machine, target->meter);

    return pages == G_MAXUINT64 ? self->machine.free : pages; /* of a node that has its share */
}

/* FALSE: it cannot be. */
static gboolean set(MnScenario *self, const MnScenarioTarget *target, guint64 pages) {
    MnScenarioMachine before = self->machine;
    guint64 *part = part_of(self, target);

    if (!part)
        return mn_scenario_machine_set(&self->machine, target->meter, pages);
    if (target->aim == MN_SCENARIO_NODE) {
        *part = pages;
        return pages <= self->nodes.nodes[target->node].pages;
    }
    *part = pages;
    if (mn_scenario_machine_settle(&self->machine) && self->machine.total > 0)
        return TRUE;
    self->machine = before;
    return FALSE;
}

static guint64 wanted(const MnScenario *self, const MnScenarioTarget *target) {
    return mn_amount_pages(&target->amount, all_pages(self));
}

/* What was possible at first may not be in a later turn. */
static void note_impossible(MnScenario *self, const MnScenarioTarget *target) {
    if (!self->is_impossible)
        self->script.fault = mn_scenario_describe(self->path, self->text, target->at, TOO_MUCH);
    self->is_impossible = TRUE;
}

static void set_all(MnScenario *self, const MnScenarioStep *step) {
    for (guint i = step->first; i < step->first + step->n; i++)
        if (!set(self, target_at(self, i), wanted(self, target_at(self, i))))
            note_impossible(self, target_at(self, i));
}

/* Some of the way, where it may be impassable, or all of it. */
static void move(MnScenario *self, gint64 time_us) {
    double part = (double)(time_us - self->span_from_us) / (double)(self->span_to_us - self->span_from_us);

    for (guint i = 0; i < self->span->n; i++) {
        const MnScenarioTarget *target = target_at(self, self->span->first + i);
        const Way *way = &g_array_index(self->ways, Way, i);
        double pages = (double)way->from + ((double)way->to - (double)way->from) * part;

        if (!set(self, target, (guint64)(pages + 0.5)) && time_us == self->span_to_us)
            note_impossible(self, target);
    }
}

/* --- steps --- */

static void begin_span(MnScenario *self, const MnScenarioStep *step, gint64 to_us) {
    self->span = step;
    self->span_from_us = self->script.time_us;
    self->span_to_us = to_us;
    g_array_set_size(self->ways, 0);
    for (guint i = step->first; i < step->first + step->n; i++) {
        Way way = { get(self, target_at(self, i)), wanted(self, target_at(self, i)) };

        g_array_append_val(self->ways, way);
    }
}

/* Behind its end. */
static guint skip_turns(const MnScenario *self, guint step) {
    guint depth = 1;

    while (depth > 0) {
        MnScenarioOp op = g_array_index(self->plan.steps, MnScenarioStep, step++).op;

        depth += op == MN_SCENARIO_REPEAT ? 1 : 0;
        depth -= op == MN_SCENARIO_END ? 1 : 0;
    }
    return step;
}

static void begin_turns(MnScenario *self, const MnScenarioStep *step) {
    if (step->times == 0) {
        self->next_step = skip_turns(self, self->next_step);
        return;
    }
    self->turns[self->n_turns++] = (Turn){ self->next_step, step->times, self->turn_us };
    self->turn_us = self->script.time_us;
}

/* After the last what is around it goes on, whose time counts from where that began. */
static void end_turn(MnScenario *self) {
    Turn *turn = &self->turns[self->n_turns - 1];

    if (--turn->left > 0) {
        self->next_step = turn->step;
        self->turn_us = self->script.time_us;
    } else {
        self->n_turns--;
        self->turn_us = turn->outer_us;
    }
}

static void set_noise(MnScenario *self, const MnScenarioStep *step) {
    self->noise_pages = wanted(self, target_at(self, step->first));
    self->noise_state = step->seed;
}

static void set_stalls(MnScenario *self, const MnScenarioStep *step) {
    mn_stall_share_set(&self->stalls, &step->stalls, self->script.time_us, &(MnStalls){ 0 });
}

static void press(MnScenario *self, const MnScenarioStep *step) {
    mn_scenario_counters_press(&self->counters, step->level);
}

/* What takes no time. */
static void do_at_once(MnScenario *self, const MnScenarioStep *step) {
    switch (step->op) {
    case MN_SCENARIO_NOISE:
        set_noise(self, step);
        break;
    case MN_SCENARIO_EVERY:
        self->every_us = step->us;
        break;
    case MN_SCENARIO_STALL:
        set_stalls(self, step);
        break;
    case MN_SCENARIO_OOM:
        self->counters.ooms++;
        break;
    case MN_SCENARIO_PRESS:
        press(self, step);
        break;
    case MN_SCENARIO_REPEAT:
        begin_turns(self, step);
        break;
    case MN_SCENARIO_END:
        end_turn(self);
        break;
    default:
        set_all(self, step);
    }
}

/* Up to what takes time. */
static void go_on(MnScenario *self) {
    self->span = NULL;
    while (!self->span && !self->is_impossible && self->next_step < self->plan.steps->len) {
        const MnScenarioStep *step = &g_array_index(self->plan.steps, MnScenarioStep, self->next_step++);
        gint64 to_us = step->us + (step->op == MN_SCENARIO_AT ? self->turn_us : self->script.time_us);

        if ((step->op == MN_SCENARIO_AT || step->op == MN_SCENARIO_OVER) && to_us > self->script.time_us)
            begin_span(self, step, to_us);
        else if (step->op != MN_SCENARIO_AT)
            do_at_once(self, step);
    }
}

/* --- moments --- */

static void add_noise(MnScenario *self) {
    self->shown = self->machine;
    if (self->noise_pages == 0)
        return;
    self->shown.anon_wish =
        mn_subtract(self->shown.anon_wish + mn_scenario_random(&self->noise_state) % (2 * self->noise_pages + 1),
                    self->noise_pages);
    if (!mn_scenario_machine_settle(&self->shown))
        self->shown = self->machine;
}

static gboolean is_moving(const MnScenario *self) {
    return self->span->n > 0 || self->noise_pages > 0;
}

static void find_next(MnScenario *self) {
    gint64 apart_us, since_us;

    self->script.has_next = self->span && !self->is_impossible;
    if (!self->script.has_next)
        return;
    apart_us = is_moving(self) ? self->every_us : IDLE_US;
    since_us = self->script.time_us - self->span_from_us;
    self->script.next_us = MIN(self->span_from_us + (since_us / apart_us + 1) * apart_us, self->span_to_us);
}

static void print_all(MnScenario *self) {
    g_autoptr(GString) text = g_string_new(NULL);
    MnScenarioView view = {
        .machine = &self->shown, .host_pages = self->plan.host_pages, .nodes = &self->nodes, .counters = &self->counters
    };

    mn_stall_share_apply(&self->stalls, self->script.time_us, &view.stalls);
    for (guint i = 0; i < self->contents->len; i++) {
        MnScriptText *shown = self->script.texts->pdata[i];
        GString *content = self->contents->pdata[i];

        g_string_truncate(text, 0);
        mn_scenario_print(&view, shown->name, text);
        if (!shown->text || !g_string_equal(text, content))
            shown->serial++;
        g_string_assign(content, text->str);
        shown->text = content->str;
        shown->len = content->len;
    }
}

static int advance(MnScript *script) {
    MnScenario *self = (MnScenario *)script;
    MnScenarioMachine before = self->shown;

    if (self->span)
        move(self, script->time_us);
    if (!self->has_begun || script->time_us == self->span_to_us)
        go_on(self);
    add_noise(self);
    if (self->has_begun)
        mn_scenario_counters_move(&self->counters, &before, &self->shown);
    self->has_begun = TRUE;
    print_all(self);
    find_next(self);
    return 0;
}

static void scenario_free(MnScript *script) {
    MnScenario *self = (MnScenario *)script;

    for (guint i = 0; i < self->contents->len; i++)
        g_string_free(self->contents->pdata[i], TRUE);
    g_ptr_array_free(self->contents, TRUE);
    g_array_free(self->ways, TRUE);
    g_free(self->path);
    g_free(self->text);
    mn_scenario_plan_clear(&self->plan);
    g_free(self);
}

/* --- the beginning --- */

static void add_text(MnScenario *self, const char *name) {
    mn_script_add_text(&self->script, name, strlen(name));
    g_ptr_array_add(self->contents, g_string_new(NULL));
}

static void add_texts(MnScenario *self) {
    for (guint i = 0; mn_scenario_names[i]; i++)
        if (g_str_has_prefix(mn_scenario_names[i], MN_SCENARIO_GROUP)
                ? self->machine.is_group
                : self->plan.has_arc || !g_str_has_suffix(mn_scenario_names[i], "arcstats"))
            add_text(self, mn_scenario_names[i]);
}

static void begin(MnScenario *self) {
    self->machine = self->shown = self->plan.machine;
    self->nodes = self->plan.nodes;
    self->every_us = EVERY_US;
}

/* Each step in its turn, without the time between them, and what is repeated once. */
static int check(MnScenario *self, MnFault *fault) {
    for (guint i = 0; i < self->plan.steps->len; i++) {
        const MnScenarioStep *step = &g_array_index(self->plan.steps, MnScenarioStep, i);

        for (guint j = step->first; step->op != MN_SCENARIO_NOISE && j < step->first + step->n; j++)
            if (!set(self, target_at(self, j), wanted(self, target_at(self, j))))
                return mn_fault_set(fault, target_at(self, j)->at, TOO_MUCH);
    }
    begin(self);
    return 0;
}

static int parse(MnScenario *self, gsize len, MnFault *fault) {
    const char *end;
    int r;

    if (!g_utf8_validate(self->text, (gssize)len, &end))
        return mn_fault_set(fault, (gsize)(end - self->text), "this is not UTF-8");
    r = mn_scenario_parse(self->text, len, fault, &self->plan);
    if (r < 0)
        return r;
    begin(self);
    return check(self, fault);
}

gboolean mn_scenario_open(const char *text, gsize len, const char *path, MnScript **ret, GError **error) {
    static const MnScriptKind kind = { advance, scenario_free, FALSE };
    MnScenario *self = g_new0(MnScenario, 1);
    g_autoptr(MnScript) script = &self->script;
    MnFault fault = { 0 };

    mn_script_init(script, &kind);
    script->page_bytes = MN_SCENARIO_PAGE_BYTES;
    script->has_next = TRUE;
    self->contents = g_ptr_array_new();
    self->ways = g_array_new(FALSE, FALSE, sizeof(Way));
    self->path = g_strdup(path);
    self->text = g_strndup(text, len);
    if (parse(self, len, &fault) < 0) {
        g_autofree char *what = mn_scenario_describe(path, self->text, fault.at, fault.reason);

        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, what);
        return FALSE;
    }
    add_texts(self);
    *ret = g_steal_pointer(&script);
    return TRUE;
}
