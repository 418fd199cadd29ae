/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When and what to sample.
 *
 * A sample is taken when somebody reads and the last one is older than update_period, and otherwise
 * when the nearest limit could have been reached. Without a watch or an observer there is no timer,
 * no pressure trigger and no descriptor that wakes us. Value and event come from the same sample:
 * the reading is replaced first, then the observers and the watches are told.
 *
 * The way from the timer to notify() allocates nothing and logs nothing, but for one warning when
 * a text of the kernel's goes bad and one when all are good again. */
#include "sampler.h"

#include "core/cgroup.h"
#include "core/pace.h"
#include "sampler/timer.h"
#include "sampler/wakeup.h"

#define N_SOURCES 5

struct MnSampler {
    MnProc *proc;
    MnGroup *group; /* whose memory the meters show; NULL: the machine's */
    MnMemcg *memcg; /* not owned; NULL without one */
    MnParameters parameters;
    MnMachine machine;
    guint64 known; /* counters that this kernel has */

    MnSample sample; /* of the machine */
    MnZones zones;   /* of the same moment; none when nobody needs them or they are damaged */
    MnSample group_sample;
    MnReading measured;
    MnReading reading; /* measured, with what is simulated in its place */
    MnSimulate simulate;
    guint64 serial;     /* of the reading */
    MnReading baseline; /* the reading at the last change that counted, see has_moved() */
    gint64 taken_us;    /* when the sample was */
    gint64 reading_us;  /* when the reading was: later, if somebody has simulated since */
    MnFill fill;
    MnReading step_from; /* what was measured when the step of `fill` began */
    gint64 step_from_us; /* 0: no step has begun */
    guint step_sources;  /* that were read then */
    guint held_sources;  /* of the last sample; 0 when it may not be used any more */
    guint holders[N_SOURCES];
    guint watched_sources; /* of the meters that have a limit */

    MnCrossing *crossing;
    MnObservers observers;
    guint64 period_ms;    /* between the last sample and the next */
    gboolean must_choose; /* the period, before the loop sleeps */
    gboolean moved;       /* for that choice: some meter has */

    MnTimer *timer;
    MnWakeup wakeup;
    guint bad_sources; /* those that could not be used last time */
};

static guint64 space_pages(const MnSampler *self) {
    guint64 kib = self->parameters.update_space_kib;

    return kib > 0 ? kib * 1024 / self->machine.page_bytes : self->reading.pages[MN_METER_TOTAL] / 128;
}

static guint wanted_sources(const MnSampler *self) {
    guint sources = self->watched_sources | mn_observers_sources(&self->observers);

    for (guint i = 0; i < N_SOURCES; i++)
        if (self->holders[i] > 0)
            sources |= 1U << i;
    return sources;
}

/* The counters that a good sample has. */
static guint64 needed_counters(const MnSampler *self) {
    return self->known & (~MN_COUNTERS_RECLAIM | mn_observers_counters(&self->observers));
}

static gboolean is_idle(const MnSampler *self) {
    return mn_crossing_is_empty(self->crossing) && mn_observers_is_empty(&self->observers);
}

/* Whether some meter is away from its baseline by the hysteresis or more. */
static gboolean has_moved(const MnSampler *self) {
    guint64 space = space_pages(self);

    for (guint id = 0; id < MN_N_VALUES; id++) {
        guint64 now = self->reading.pages[id], then = self->baseline.pages[id];

        if (MAX(now, then) - MIN(now, then) >= MAX(space, 1))
            return TRUE;
    }
    return FALSE;
}

static void update_scale(MnSampler *self) {
    MnScale scale = { .total_pages = self->reading.pages[MN_METER_TOTAL],
                      .swap_pages = self->reading.pages[MN_METER_SWAP_TOTAL],
                      .space_pages = space_pages(self) };

    mn_crossing_set_scale(self->crossing, &scale);
}

static void arm(MnSampler *self) {
    if (is_idle(self))
        mn_timer_stop(self->timer);
    else
        mn_timer_set(self->timer, self->taken_us, self->period_ms);
}

static void choose_period(MnSampler *self) {
    MnPace pace = {
        .distance_pages = mn_crossing_distance(self->crossing, &self->reading),
        .page_bytes = self->machine.page_bytes,
        .fill = &self->fill,
        .is_reached = mn_crossing_is_reached(self->crossing),
        .has_moved = self->moved,
        .period_ms = self->period_ms,
    };
    guint64 observers_ms = mn_observers_next_ms(&self->observers, &pace, &self->parameters);

    self->period_ms = mn_crossing_is_empty(self->crossing)
                          ? observers_ms
                          : MIN(observers_ms, mn_pace_next_ms(&pace, &self->parameters));
    self->must_choose = FALSE;
    self->moved = FALSE;
    arm(self);
}

/* Whoever is waiting for an answer or a notification has it by now, and many changes in one turn are
 * one choice. */
static void on_about_to_sleep(gpointer data) {
    MnSampler *self = data;

    if (self->must_choose)
        choose_period(self);
}

/* The reading has changed: put the limits to scale and tell who is concerned. */
static void publish(MnSampler *self) {
    if (has_moved(self)) {
        self->baseline = self->reading;
        self->moved = TRUE;
    }
    update_scale(self);
    mn_crossing_advance(self->crossing, &self->reading);
    self->must_choose = TRUE;
}

static void apply_simulation(MnSampler *self) {
    self->serial++;
    self->reading_us = g_get_monotonic_time();
    self->reading = self->measured;
    mn_simulate_apply(&self->simulate, &self->reading);
}

/* Observers look at the machine in any case. */
static int measure_group(MnSampler *self, guint sources, const char **ret_name) {
    int r;

    r = mn_group_sample(self->group, sources, &self->group_sample, ret_name);
    if (r < 0 || mn_observers_is_empty(&self->observers))
        return r;
    return mn_proc_sample(self->proc, mn_observers_sources(&self->observers), needed_counters(self), &self->sample,
                          ret_name);
}

static int measure(MnSampler *self, guint sources, const char **ret_name) {
    int r;

    r = self->group ? measure_group(self, sources, ret_name)
                    : mn_proc_sample(self->proc, sources, needed_counters(self), &self->sample, ret_name);
    self->taken_us = g_get_monotonic_time();
    self->held_sources = sources;
    if (r < 0)
        return r;
    if (self->memcg && (sources & MN_SOURCE_MEMCG))
        mn_memcg_sample(self->memcg, self->group ? &self->group_sample : &self->sample); /* or the last values */

    mn_reading_from_sample(self->group ? &self->group_sample : &self->sample, &self->measured);
    apply_simulation(self);
    return 0;
}

/* Warns when a source goes bad, and says when the last of them is good again. */
static void note_state(MnSampler *self, guint sources, int error, const char *name) {
    guint were_bad = self->bad_sources;

    if (error < 0 && !(were_bad & sources))
        g_warning("cannot use '%s': %s; keeping the last good values", name, g_strerror(-error));
    self->bad_sources = error < 0 ? were_bad | sources : were_bad & ~sources;
    if (were_bad && !self->bad_sources)
        g_message("the kernel's numbers are good again");
}

/* The zones of this moment, for the observers; meters do without. */
static void read_zones(MnSampler *self) {
    const char *text;
    gsize len;
    int r;

    self->zones.n = 0;
    if (!(mn_observers_sources(&self->observers) & MN_SOURCE_ZONEINFO))
        return;
    r = mn_proc_read(self->proc, MN_SOURCE_ZONEINFO, &text, &len);
    if (r == 0)
        r = mn_zones_parse(&self->zones, text, len);
    note_state(self, MN_SOURCE_ZONEINFO, r, "zoneinfo");
}

/* Kernels without pressure/memory are nothing to complain about. */
static void read_pressure(MnSampler *self) {
    const char *text;
    gsize len;
    int r;

    if (!(mn_observers_sources(&self->observers) & MN_SOURCE_PRESSURE))
        return;
    r = mn_proc_read(self->proc, MN_SOURCE_PRESSURE, &text, &len);
    if (r == 0)
        r = mn_sample_parse_pressure(text, len, &self->sample);
    if (r < 0)
        self->sample.known &= ~MN_COUNTER_BIT(MN_COUNTER_STALLED_US);
}

static void tell_observers(const MnSampler *self) {
    MnMoment moment = { .sample = &self->sample, .zones = &self->zones, .time_us = self->taken_us };

    if (self->zones.n > 0)
        mn_observers_tell(&self->observers, &moment);
}

/* Learns from the step between two samples how fast memory fills up, if both have measured all meters
 * with limits. What others write into a copy is no memory. */
static void note_fill(MnSampler *self) {
    gint64 step_us = self->taken_us - self->step_from_us;
    guint64 pages;

    if (!mn_proc_is_live(self->proc) || step_us < MN_FILL_STEP_US)
        return;
    if (self->step_from_us > 0 && !(self->watched_sources & ~self->step_sources)) {
        pages = mn_crossing_approach(self->crossing, &self->step_from, &self->measured);
        mn_fill_step(&self->fill, pages, step_us, self->taken_us);
    }
    self->step_from = self->measured;
    self->step_from_us = self->taken_us;
    self->step_sources = self->held_sources;
}

static void take_sample(MnSampler *self) {
    const char *name = NULL;
    int r;

    r = measure(self, wanted_sources(self), &name);
    note_state(self, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, r, name);
    if (r < 0) {
        arm(self);
        return;
    }

    note_fill(self);
    read_pressure(self);
    read_zones(self);
    tell_observers(self);
    publish(self);
}

/* The timer, pressure, a changed file. */
static void on_due(gpointer data) {
    take_sample(data);
}

/* Nobody is woken any more for a watch or an observer that has gone. The driver's policy does not
 * depend on who waits. */
static void wait_for_the_rest(MnSampler *self) {
    if (is_idle(self)) {
        mn_wakeup_stop(&self->wakeup);
        arm(self);
    } else if (self->parameters.fill_rate_mib > 0) {
        self->must_choose = TRUE;
    }
}

int mn_sampler_new(const char *proc_directory, const MnParameters *parameters, MnSampler **ret, const char **ret_name) {
    g_autoptr(MnSampler) self = g_new0(MnSampler, 1);
    int r;

    self->parameters = *parameters;
    self->machine.page_bytes = mn_proc_page_bytes();
    self->crossing = mn_crossing_new();
    self->timer = mn_timer_new(on_about_to_sleep, on_due, self);
    self->known = MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL); /* and all others are looked for */

    *ret_name = NULL;
    r = mn_proc_new(proc_directory, &self->proc);
    if (r < 0)
        return r;
    mn_wakeup_init(&self->wakeup, self->proc, on_due, self);
    r = measure(self, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, ret_name);
    if (r < 0)
        return r;

    self->known = self->sample.known;
    self->machine.offered = mn_meters_offered(self->sample.known);
    self->baseline = self->reading;
    update_scale(self);

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_sampler_free(MnSampler *self) {
    if (!self)
        return;
    if (self->proc)
        mn_wakeup_clear(&self->wakeup);
    mn_timer_free(self->timer);
    mn_crossing_free(self->crossing);
    mn_zones_clear(&self->zones);
    mn_group_free(self->group);
    mn_proc_free(self->proc);
    g_free(self);
}

int mn_sampler_set_group(MnSampler *self, MnGroup *group, const char **ret_name) {
    int r;

    g_assert(!self->group && mn_crossing_is_empty(self->crossing));
    self->group = group;
    r = measure(self, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, ret_name);
    if (r < 0)
        return r;

    self->machine.offered = mn_cgroup_meters_offered(self->group_sample.known);
    self->baseline = self->reading;
    update_scale(self);
    return 0;
}

guint mn_sampler_meter_sources(const MnSampler *self, MnMeterId meter) {
    gboolean is_the_groups = self->group && !(mn_meters[meter].sources & MN_SOURCE_MEMCG);

    return is_the_groups ? mn_group_meter_sources(meter) : mn_meters[meter].sources;
}

void mn_sampler_set_memcg(MnSampler *self, MnMemcg *memcg) {
    self->memcg = memcg;
}

MnProc *mn_sampler_get_proc(MnSampler *self) {
    return self->proc;
}

const MnMachine *mn_sampler_get_machine(const MnSampler *self) {
    return &self->machine;
}

void mn_sampler_hold(MnSampler *self, guint sources) {
    for (guint i = 0; i < N_SOURCES; i++)
        if (sources & (1U << i))
            self->holders[i]++;
}

void mn_sampler_release(MnSampler *self, guint sources) {
    for (guint i = 0; i < N_SOURCES; i++)
        if (sources & (1U << i))
            self->holders[i]--;
}

const MnReading *mn_sampler_read(MnSampler *self) {
    gint64 age_us = g_get_monotonic_time() - self->taken_us;

    if (age_us >= (gint64)self->parameters.update_period_ms * 1000 || (wanted_sources(self) & ~self->held_sources))
        take_sample(self);
    return &self->reading;
}

gint64 mn_sampler_get_time_us(const MnSampler *self) {
    return self->reading_us;
}

guint64 mn_sampler_get_serial(const MnSampler *self) {
    return self->serial;
}

void mn_sampler_settle(MnSampler *self, MnWatch *watch) {
    mn_crossing_settle(self->crossing, watch, mn_sampler_read(self));
}

static void update_watched_sources(MnSampler *self) {
    guint meters = mn_crossing_meters(self->crossing);

    self->watched_sources = 0;
    for (guint id = 0; meters >> id; id++)
        if (meters & MN_METER_BIT(id))
            self->watched_sources |= mn_sampler_meter_sources(self, id);
}

void mn_sampler_add(MnSampler *self, MnWatch *watch) {
    gboolean was_idle = is_idle(self), is_first = mn_crossing_is_empty(self->crossing);

    mn_crossing_add(self->crossing, watch);
    if (mn_crossing_is_empty(self->crossing)) /* a watch without limits */
        return;

    update_watched_sources(self);
    if (is_first) {
        self->period_ms = 0;
        self->baseline = self->reading;
    }
    if (was_idle)
        mn_wakeup_start(&self->wakeup, self->group);
    mn_sampler_read(self);
    mn_crossing_advance(self->crossing, &self->reading);
    if (is_first || self->parameters.fill_rate_mib > 0)
        self->must_choose = TRUE;
}

void mn_sampler_remove(MnSampler *self, MnWatch *watch) {
    mn_crossing_remove(self->crossing, watch);
    update_watched_sources(self);
    wait_for_the_rest(self);
}

void mn_sampler_observe(MnSampler *self, MnObserver *observer) {
    gboolean was_idle = is_idle(self);

    mn_observers_add(&self->observers, observer);
    if (was_idle) {
        self->period_ms = 0;
        mn_wakeup_start(&self->wakeup, self->group);
    }
    take_sample(self);
    self->must_choose = TRUE; /* also when that failed */
}

void mn_sampler_unobserve(MnSampler *self, MnObserver *observer) {
    mn_observers_remove(&self->observers, observer);
    wait_for_the_rest(self);
}

int mn_sampler_read_text(MnSampler *self, MnSource source, const char **ret_text, gsize *ret_len) {
    return mn_proc_read(self->proc, source, ret_text, ret_len);
}

const MnParameters *mn_sampler_get_parameters(const MnSampler *self) {
    return &self->parameters;
}

void mn_sampler_set_parameters(MnSampler *self, const MnParameters *parameters) {
    self->parameters = *parameters;
    publish(self);
}

const MnSimulate *mn_sampler_get_simulate(const MnSampler *self) {
    return &self->simulate;
}

void mn_sampler_override(MnSampler *self, const MnOverride *override) {
    mn_simulate_set(&self->simulate, override, self->reading.pages[MN_METER_TOTAL]);
    apply_simulation(self);
    publish(self);
}
