/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happened in a script, as the server's own board tells it. It is gone through twice where it has processes: which of
 * them have grown most is known at its end. */
#include "incident.h"

#include "message.h"
#include "parts.h"
#include "playback.h"
#include "verb.h"

#include "core/number.h"
#include "core/vmpressure.h"

#define ALL_THE_TIME 10000                                              /* hundredths of a per cent */
#define DATES_END_US (G_GINT64_CONSTANT(253370764800) * G_USEC_PER_SEC) /* the year 9999, the last of GDateTime */

typedef struct Walk {
    CmdIncident *incident;
    CmdPlayback *playback;
    MnScript *script;
    gint64 stalls_us; /* an interval began, with */
    guint stalls_of;
    MnStalls stalls;
    guint64 shares[MN_N_STALLS]; /* of the interval before, or CMD_SERIES_NONE */
    guint64 oom_kills;
    guint64 processes; /* serial of the last text */
} Walk;

/* 0 unless there are words for it: a damaged recording may have any. */
static gint64 date_of(gint64 date_us) {
    return date_us > 0 && date_us < DATES_END_US ? date_us : 0;
}

/* --- what happened --- */

static void add_happening(const Walk *self, const CmdHappening *happening) {
    CmdHappening dated = *happening;

    dated.date_us = date_of(mn_script_get_date_us(self->script));
    g_array_append_val(self->incident->happenings, dated);
}

static void on_event(const MnEvent *event, gpointer data) {
    const Walk *self = data;

    self->incident->n_reached += event->word == MN_EVENT_REACHED;
    self->incident->n_left += event->word == MN_EVENT_LEFT;
    add_happening(self, &(CmdHappening){ .event = *event });
}

static guint64 count_oom_kills(const Walk *self) {
    const MnScriptText *text = mn_script_find(self->script, "vmstat");
    MnVmpressureCounters counters;

    if (!text || !text->text)
        return self->oom_kills;
    mn_vmpressure_parse(text->text, text->len, &counters);
    return counters.ooms;
}

static void look_at_oom_kills(Walk *self) {
    guint64 now = count_oom_kills(self), more = mn_subtract(now, self->oom_kills);

    self->oom_kills = now;
    if (more == 0)
        return;
    self->incident->n_oom_kills += more;
    add_happening(self, &(CmdHappening){ .event.time_us = mn_script_get_time_us(self->script), .oom_kills = more });
}

/* --- what there is --- */

static void begin_interval(Walk *self, const MnMoment *moment) {
    self->stalls_us = mn_script_get_time_us(self->script);
    self->stalls_of = moment->stalls_of;
    self->stalls = moment->stalls;
}

/* Shares of the time since the interval began. */
static void end_interval(Walk *self, const MnMoment *moment) {
    CmdIncident *incident = self->incident;
    gint64 now_us = mn_script_get_time_us(self->script);
    guint64 us = (guint64)(now_us - self->stalls_us);

    for (guint kind = 0; kind < MN_N_STALLS; kind++) {
        guint64 more = mn_subtract(moment->stalls.lines[kind].total_us, self->stalls.lines[kind].total_us);
        guint64 hundredths = MIN(mn_multiply(more, 10000) / us, ALL_THE_TIME);

        self->shares[kind] = hundredths;
        if (kind == MN_STALL_SOME && hundredths > incident->worst_stall_hundredths) {
            incident->worst_stall_hundredths = hundredths;
            incident->worst_stall_us = now_us;
        }
    }
    begin_interval(self, moment);
}

static void put_stalls(Walk *self, const MnMoment *moment, guint64 *values) {
    gint64 us = mn_script_get_time_us(self->script) - self->stalls_us;

    if (!self->incident->has_stalls)
        return;
    if (moment->stalls_of != self->stalls_of)
        begin_interval(self, moment); /* of another group: no interval */
    else if (us >= CMD_INCIDENT_STALL_US)
        end_interval(self, moment);
    for (guint kind = 0; kind < MN_N_STALLS; kind++)
        values[CMD_VALUE_STALLS + kind] = self->shares[kind];
}

static void put_meters(const Walk *self, const MnReading *reading, guint64 *values) {
    CmdIncident *incident = self->incident;
    guint64 available = reading->pages[MN_METER_AVAILABLE];

    for (guint id = 0; id < MN_N_METERS; id++)
        if (incident->offered & MN_METER_BIT(id))
            values[id] = reading->pages[id];
    for (guint i = 0; i < incident->limits.n; i++) {
        const MnLimit *limit = &incident->limits.limits[i];

        values[CMD_VALUE_LIMITS + limit->meter] = mn_limit_pages(limit, reading->pages[MN_METER_TOTAL]);
    }
    if (available < incident->lowest_pages && (incident->offered & MN_METER_BIT(MN_METER_AVAILABLE))) {
        incident->lowest_pages = available;
        incident->lowest_of_pages = cmd_part_whole(reading->pages);
        incident->lowest_us = mn_script_get_time_us(self->script);
    }
    incident->last = *reading;
}

static void look_at_processes(Walk *self) {
    const MnScriptText *text = mn_script_find(self->script, MN_SCRIPT_PROCESSES);

    if (!text || !text->text || text->serial == self->processes)
        return;
    self->processes = text->serial;
    cmd_growers_see(self->incident->growers, mn_script_get_time_us(self->script), text->text, text->len);
}

static void look(Walk *self) {
    CmdIncident *incident = self->incident;
    const MnMoment *moment = cmd_playback_get_moment(self->playback);
    gint64 date_us = mn_script_get_date_us(self->script);
    guint64 values[CMD_N_VALUES];

    for (guint i = 0; i < CMD_N_VALUES; i++)
        values[i] = CMD_SERIES_NONE;
    if (!moment->is_gone) {
        put_meters(self, &moment->reading, values);
        put_stalls(self, moment, values);
    }
    look_at_oom_kills(self);
    look_at_processes(self);
    incident->duration_us = mn_script_get_time_us(self->script);
    incident->last_date_us = date_us;
    cmd_series_add(&incident->series, incident->duration_us, values);
}

/* --- the processes, again from the beginning --- */

static void add_processes(CmdIncident *self, gint64 time_us, const MnScriptText *text) {
    guint64 values[CMD_INCIDENT_GROWERS];
    const char *at = text->text;
    CmdProcessLine line;

    for (guint i = 0; i < self->ranked->len; i++)
        values[i] = CMD_SERIES_NONE;
    while (cmd_process_line_next(&at, text->text + text->len, &line))
        for (guint i = 0; i < self->ranked->len; i++)
            if (cmd_grower_is(g_ptr_array_index(self->ranked, i), &line))
                values[i] = line.bytes;
    cmd_series_add(&self->processes, time_us, values);
}

static int read_processes(CmdIncident *self, const char *path) {
    g_autoptr(MnScript) script = NULL;
    guint64 serial = 0;

    self->ranked = cmd_growers_rank(self->growers, CMD_INCIDENT_GROWERS);
    if (self->ranked->len == 0)
        return CMD_OK;
    cmd_series_init(&self->processes, self->ranked->len, CMD_SERIES_LAST);
    if (!mn_script_open(path, &script, NULL))
        return cmd_fail("cannot read '%s' again", path);
    while (mn_script_peek(script, &(gint64){ 0 }) && mn_script_next(script) == 0) {
        const MnScriptText *text = mn_script_find(script, MN_SCRIPT_PROCESSES);

        if (text && text->text && text->serial != serial) {
            serial = text->serial;
            add_processes(self, mn_script_get_time_us(script), text);
        }
    }
    return CMD_OK;
}

/* --- all --- */

static void begin(Walk *self) {
    CmdIncident *incident = self->incident;
    const MnMachine *machine = cmd_playback_get_machine(self->playback);
    const MnMoment *moment = cmd_playback_get_moment(self->playback);

    incident->is_of_group = cmd_playback_has_group(self->playback);
    incident->page_bytes = machine->page_bytes;
    incident->offered = machine->offered;
    incident->has_stalls = machine->offers_stalls;
    incident->limits = *cmd_playback_get_limits(self->playback);
    incident->first = moment->reading;
    incident->first_date_us = date_of(mn_script_get_date_us(self->script));
    begin_interval(self, moment);
    for (guint kind = 0; kind < MN_N_STALLS; kind++)
        self->shares[kind] = CMD_SERIES_NONE;
    self->oom_kills = count_oom_kills(self);
}

int cmd_incident_read(CmdIncident *ret, const char *path, gboolean is_of_machine, const char *limits) {
    g_autoptr(CmdPlayback) playback = cmd_playback_new(path, is_of_machine);
    Walk walk = { .incident = ret, .playback = playback };
    int r;

    *ret = (CmdIncident){ .lowest_pages = CMD_SERIES_NONE };
    if (!playback)
        return CMD_FAILED;
    walk.script = cmd_playback_get_script(playback);
    cmd_playback_want_all(playback);
    r = cmd_playback_watch(playback, limits, on_event, &walk);
    if (r != CMD_OK)
        return r;
    ret->happenings = g_array_new(FALSE, FALSE, sizeof(CmdHappening));
    ret->growers = cmd_growers_new();
    cmd_series_init(&ret->series, CMD_N_VALUES, MN_METER_AVAILABLE);
    begin(&walk);
    do
        look(&walk);
    while (cmd_playback_step(playback));
    if (date_of(ret->first_date_us + ret->duration_us) == 0)
        ret->first_date_us = 0;
    ret->fault = g_strdup(mn_script_get_fault(walk.script));
    return ret->is_of_group ? CMD_OK : read_processes(ret, path);
}

void cmd_incident_clear(CmdIncident *self) {
    g_clear_pointer(&self->happenings, g_array_unref);
    g_clear_pointer(&self->ranked, g_ptr_array_unref);
    g_clear_pointer(&self->growers, cmd_growers_free);
    g_clear_pointer(&self->fault, g_free);
    cmd_series_clear(&self->series);
    cmd_series_clear(&self->processes);
}
