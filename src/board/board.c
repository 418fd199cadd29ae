/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is told what, and when there is something to tell.
 *
 * A moment is made when somebody reads and the last one is older than update_period, and otherwise when the schedule
 * says so: when the nearest limit could have been reached. Without a watch or a subscriber there is no alarm,
 * no pressure trigger and no descriptor that wakes us. Value and event come from the same moment: it is in its place
 * before the subscribers are told.
 *
 * The way from the alarm to told() and crossed() allocates nothing and logs nothing, but for the probe's warnings. */
#include "board.h"

#include "board/schedule.h"
#include "board/watches.h"

#define N_SOURCES 6 /* that meters are made of */

struct MnBoard {
    MnProbe *probe;
    const MnClock *clock;
    MnOutbox *outbox;
    MnParameters parameters;
    MnSimulate simulate;
    MnMoment moment;
    MnReplay *replay;  /* NULL: time goes by itself */
    gboolean is_stale; /* it has gone on since the moment was made */
    gint64 looked_us;  /* when the probe last did; the moment may be older, and what is simulated newer */
    gboolean is_good;  /* and that has made the moment */
    MnLooks looks;
    guint holders[N_SOURCES];
    MnSubscribers subscribers;
    MnWitness *witnesses;
    MnWatches watches;
    MnSchedule schedule;
};

/* What is measured has been replaced, or what is simulated has. */
static void show(MnBoard *self) {
    self->moment.serial++;
    self->moment.time_us = mn_clock_now_us(self->clock);
    mn_simulate_apply(&self->simulate, &self->moment);
    mn_schedule_note_reading(&self->schedule, &self->moment.reading,
                             mn_watches_space_pages(&self->watches, &self->moment.reading));
}

static int make_moment(MnBoard *self, const MnNeeds *needs) {
    int r;

    r = mn_probe_look(self->probe, needs, &self->moment);
    self->is_good = r == 0;
    self->is_stale = FALSE;
    self->looks.all++;
    if (r == 0) {
        mn_plight_apply(&self->simulate.plight, &self->moment);
        show(self);
    } else {
        self->looks.failed++;
    }
    self->looked_us = r == 0 ? self->moment.time_us : mn_clock_now_us(self->clock);
    mn_schedule_note_time(&self->schedule, self->looked_us);
    return r;
}

static guint held_sources(const MnBoard *self) {
    guint sources = 0;

    for (guint i = 0; i < N_SOURCES; i++)
        if (self->holders[i] > 0)
            sources |= 1U << i;
    return sources;
}

static void tell_presence(MnBoard *self) {
    mn_watches_forget_step(&self->watches);
    for (MnWitness *witness = self->witnesses; witness; witness = witness->next)
        if (witness->presence_changed)
            witness->presence_changed(witness, &self->moment);
}

static void tell_total(MnBoard *self, guint64 before) {
    if (self->moment.reading.pages[MN_METER_TOTAL] == before)
        return;
    for (MnWitness *witness = self->witnesses; witness; witness = witness->next)
        if (witness->total_changed)
            witness->total_changed(witness, &self->moment, before);
}

static void tell_shown(MnBoard *self) {
    for (MnWitness *witness = self->witnesses; witness; witness = witness->next)
        if (witness->shown)
            witness->shown(witness, &self->moment);
}

/* `more`: sources that are needed besides. */
static void refresh(MnBoard *self, guint more) {
    MnNeeds needs = { .meters = held_sources(self) | more };
    gboolean was_gone = self->moment.is_gone;
    guint64 total = self->moment.reading.pages[MN_METER_TOTAL];

    mn_subscribers_prepare(&self->subscribers, mn_clock_now_us(self->clock), &needs);
    if (make_moment(self, &needs) < 0)
        return;
    if (self->moment.is_gone != was_gone)
        tell_presence(self);
    tell_total(self, total);
    tell_shown(self);
    mn_subscribers_tell(&self->subscribers, &self->moment);
}

/* What has been played while nobody waited. */
static void catch_up(MnBoard *self) {
    if (self->replay && mn_subscribers_is_empty(&self->subscribers) && mn_replay_catch_up(self->replay))
        self->is_stale = TRUE;
}

static gboolean is_fresh(const MnBoard *self, guint sources) {
    gint64 age_us = mn_clock_now_us(self->clock) - self->looked_us;

    if (self->is_stale || age_us >= (gint64)self->parameters.update_period_ms * G_TIME_SPAN_MILLISECOND)
        return FALSE;
    return !self->is_good || !(sources & ~self->moment.meters);
}

/* The present values, with those of some sources among them. */
static const MnReading *read_with(MnBoard *self, guint sources) {
    catch_up(self);
    if (!is_fresh(self, sources | held_sources(self)))
        refresh(self, sources);
    return &self->moment.reading;
}

void mn_board_refresh(MnBoard *self) {
    refresh(self, 0);
}

const MnReading *mn_board_read(MnBoard *self) {
    return read_with(self, 0);
}

gboolean mn_board_is_gone(MnBoard *self) {
    if (mn_probe_has_group(self->probe))
        read_with(self, 0);
    return self->moment.is_gone;
}

void mn_board_add_witness(MnBoard *self, MnWitness *witness) {
    witness->next = self->witnesses;
    self->witnesses = witness;
}

/* While somebody waits each moment of a replay is told. */
static void on_due(gpointer data) {
    MnBoard *self = data;

    if (self->replay)
        mn_replay_step(self->replay);
    mn_board_refresh(self);
}

int mn_board_new(MnProbe *probe, const MnClock *clock, MnOutbox *outbox, const MnParameters *parameters,
                 MnBoard **ret) {
    g_autoptr(MnBoard) self = g_new0(MnBoard, 1);
    int r;

    self->probe = probe;
    self->replay = mn_probe_get_replay(probe);
    self->clock = clock;
    self->outbox = outbox;
    self->parameters = *parameters;
    mn_watches_init(&self->watches, probe, &self->parameters);
    mn_schedule_init(&self->schedule, clock, outbox, probe, on_due, self);
    self->schedule.subscribers = &self->subscribers;
    self->schedule.parameters = &self->parameters;
    self->schedule.fill = &self->watches.fill;

    r = make_moment(self, &(MnNeeds){ .meters = MN_BOARD_ALL_METERS });
    if (r < 0)
        return r;
    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_board_free(MnBoard *self) {
    if (!self)
        return;
    mn_schedule_clear(&self->schedule);
    mn_watches_clear(&self->watches);
    mn_plight_clear(&self->simulate.plight);
    mn_probe_free(self->probe);
    g_free(self);
}

MnProbe *mn_board_get_probe(const MnBoard *self) {
    return self->probe;
}

MnOutbox *mn_board_get_outbox(const MnBoard *self) {
    return self->outbox;
}

const MnLooks *mn_board_get_looks(const MnBoard *self) {
    return &self->looks;
}

const MnMachine *mn_board_get_machine(const MnBoard *self) {
    return mn_probe_get_machine(self->probe);
}

const MnClock *mn_board_get_clock(const MnBoard *self) {
    return self->clock;
}

gint64 mn_board_now_us(const MnBoard *self) {
    return mn_clock_now_us(self->clock);
}

const MnMoment *mn_board_get_moment(const MnBoard *self) {
    return &self->moment;
}

guint mn_board_meter_sources(const MnBoard *self, MnMeterId meter) {
    return mn_probe_meter_sources(self->probe, meter);
}

void mn_board_hold(MnBoard *self, guint sources) {
    for (guint i = 0; i < N_SOURCES; i++)
        if (sources & (1U << i))
            self->holders[i]++;
}

void mn_board_release(MnBoard *self, guint sources) {
    for (guint i = 0; i < N_SOURCES; i++)
        if (sources & (1U << i))
            self->holders[i]--;
}

/* --- those who wait --- */

/* Of a group that is gone nothing is reached or left. */
static void advance(MnBoard *self) {
    if (!self->moment.is_gone)
        mn_watches_advance(&self->watches, &self->moment.reading);
}

static void add_subscriber(MnBoard *self, MnSubscriber *subscriber) {
    catch_up(self);
    if (mn_subscribers_is_empty(&self->subscribers) || subscriber == &self->watches.subscriber)
        mn_schedule_start(&self->schedule, &self->moment.reading);
    mn_subscribers_add(&self->subscribers, subscriber);
}

static void remove_subscriber(MnBoard *self, MnSubscriber *subscriber) {
    mn_subscribers_remove(&self->subscribers, subscriber);
    if (mn_subscribers_is_empty(&self->subscribers))
        mn_schedule_stop(&self->schedule);
}

/* The driver's policy does not depend on who waits. */
static void choose_for_the_rest(MnBoard *self) {
    if (self->parameters.fill_rate_mib > 0)
        mn_schedule_choose(&self->schedule);
}

void mn_board_subscribe(MnBoard *self, MnSubscriber *subscriber) {
    add_subscriber(self, subscriber);
    mn_board_refresh(self);
}

void mn_board_unsubscribe(MnBoard *self, MnSubscriber *subscriber) {
    remove_subscriber(self, subscriber);
    choose_for_the_rest(self);
}

static void add_watch(MnBoard *self, MnWatch *watch, gboolean is_followed) {
    gboolean is_first = mn_watches_is_empty(&self->watches) && watch->n_edges > 0 && is_followed;

    if (is_first)
        add_subscriber(self, &self->watches.subscriber);
    mn_watches_add(&self->watches, watch, read_with(self, mn_watches_sources(&self->watches, watch)));
    advance(self);
    if (is_first)
        mn_schedule_choose(&self->schedule);
    choose_for_the_rest(self);
}

/* When some were taken out that were followed. */
static void note_removed(MnBoard *self, gboolean was_empty) {
    if (!was_empty && mn_watches_is_empty(&self->watches))
        remove_subscriber(self, &self->watches.subscriber);
    choose_for_the_rest(self);
}

void mn_board_watch(MnBoard *self, MnWatch *watch) {
    watch->is_parked = FALSE;
    add_watch(self, watch, TRUE);
}

void mn_board_park(MnBoard *self, MnWatch *watch) {
    watch->is_parked = TRUE;
    add_watch(self, watch, self->watches.follows_parked);
}

void mn_board_unwatch(MnBoard *self, MnWatch *watch) {
    gboolean was_empty = mn_watches_is_empty(&self->watches);

    mn_watches_remove(&self->watches, watch, &self->moment.reading);
    note_removed(self, was_empty);
}

static void follow_parked(MnBoard *self) {
    gboolean was_empty = mn_watches_is_empty(&self->watches);

    mn_watches_follow_parked(&self->watches);
    if (mn_watches_is_empty(&self->watches))
        return;
    if (was_empty)
        add_subscriber(self, &self->watches.subscriber);
    (void)read_with(self, self->watches.subscriber.needs.meters);
    advance(self);
    mn_schedule_choose(&self->schedule);
}

void mn_board_follow_parked(MnBoard *self, gboolean follow) {
    gboolean was_empty = mn_watches_is_empty(&self->watches);

    if (follow) {
        follow_parked(self);
    } else {
        mn_watches_leave_parked(&self->watches, &self->moment.reading);
        note_removed(self, was_empty);
    }
}

/* No schedule, since nobody waits. */
void mn_board_update_parked(MnBoard *self) {
    if (self->watches.follows_parked)
        return;
    mn_watches_follow_parked(&self->watches);
    (void)read_with(self, self->watches.subscriber.needs.meters);
    advance(self);
    mn_watches_leave_parked(&self->watches, &self->moment.reading);
}

/* --- what the owner changes --- */

const MnParameters *mn_board_get_parameters(const MnBoard *self) {
    return &self->parameters;
}

void mn_board_set_parameters(MnBoard *self, const MnParameters *parameters) {
    self->parameters = *parameters;
    advance(self);
    mn_schedule_choose(&self->schedule);
}

const MnSimulate *mn_board_get_simulate(const MnBoard *self) {
    return &self->simulate;
}

void mn_board_override(MnBoard *self, const MnOverride *override) {
    guint64 total = self->moment.reading.pages[MN_METER_TOTAL];

    gboolean is_another_machine =
        mn_simulate_set(&self->simulate, override, mn_clock_now_us(self->clock), &self->moment);

    show(self);
    tell_total(self, total);
    tell_shown(self);
    advance(self);
    if (is_another_machine) {
        mn_subscribers_make_due(&self->subscribers);
        mn_board_refresh(self);
    }
    mn_schedule_choose(&self->schedule);
}

int mn_board_read_reclaim(const MnBoard *self, MnVmpressureCounters *ret) {
    int r;

    r = mn_probe_read_reclaim(self->probe, ret);
    if (r == 0)
        mn_plight_add_reclaim(&self->simulate.plight, ret);
    return r;
}

int mn_board_read_ooms(const MnBoard *self, guint64 *ret) {
    int r;

    r = mn_probe_read_ooms(self->probe, ret);
    if (r == 0)
        *ret = mn_plight_add_ooms(&self->simulate.plight, *ret);
    return r;
}
