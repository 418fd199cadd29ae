/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits, as a subscriber of moments. */
#include "watches.h"

static void on_told(MnSubscriber *subscriber, const MnMoment *moment);

void mn_watches_init(MnWatches *self, const MnProbe *probe, const MnParameters *parameters) {
    *self = (MnWatches){ .probe = probe, .parameters = parameters };
    self->waiting = mn_crossing_new();
    self->parked = mn_crossing_new();
    self->subscriber.told = on_told;
    self->subscriber.is_approached = TRUE;
}

void mn_watches_clear(MnWatches *self) {
    g_clear_pointer(&self->waiting, mn_crossing_free);
    g_clear_pointer(&self->parked, mn_crossing_free);
}

gboolean mn_watches_is_empty(const MnWatches *self) {
    return mn_crossing_is_empty(self->waiting) && !(self->follows_parked && !mn_crossing_is_empty(self->parked));
}

guint64 mn_watches_space_pages(const MnWatches *self, const MnReading *reading) {
    guint64 kib = self->parameters->update_space_kib;

    return kib > 0 ? kib * 1024 / mn_probe_get_machine(self->probe)->page_bytes : reading->pages[MN_METER_TOTAL] / 128;
}

static void set_scale(MnWatches *self, const MnReading *reading) {
    MnScale scale = { .total_pages = reading->pages[MN_METER_TOTAL],
                      .swap_pages = reading->pages[MN_METER_SWAP_TOTAL],
                      .space_pages = mn_watches_space_pages(self, reading) };

    mn_crossing_set_scale(self->waiting, &scale);
    mn_crossing_set_scale(self->parked, &scale);
}

/* What the subscriber says of all limits together. */
static void update_pace(MnWatches *self, const MnReading *reading) {
    MnSubscriber *subscriber = &self->subscriber;

    subscriber->distance_pages = mn_crossing_distance(self->waiting, reading);
    subscriber->is_reached = mn_crossing_is_reached(self->waiting);
    if (self->follows_parked) {
        subscriber->distance_pages = MIN(subscriber->distance_pages, mn_crossing_distance(self->parked, reading));
        subscriber->is_reached = subscriber->is_reached || mn_crossing_is_reached(self->parked);
    }
}

static void update_needs(MnWatches *self) {
    guint meters = mn_crossing_meters(self->waiting) | (self->follows_parked ? mn_crossing_meters(self->parked) : 0);

    self->subscriber.needs.meters = 0;
    for (guint id = 0; meters >> id; id++)
        if (meters & MN_METER_BIT(id))
            self->subscriber.needs.meters |= mn_probe_meter_sources(self->probe, id);
}

/* Tells who is concerned by a reading. */
static void advance(MnWatches *self, const MnReading *reading) {
    mn_crossing_advance(self->waiting, reading);
    if (self->follows_parked)
        mn_crossing_advance(self->parked, reading);
    update_pace(self, reading);
}

guint mn_watches_sources(const MnWatches *self, const MnWatch *watch) {
    guint sources = 0;

    for (guint i = 0; i < watch->n_edges; i++)
        sources |= mn_probe_meter_sources(self->probe, watch->edges[i].limit.meter);
    return sources;
}

void mn_watches_forget_step(MnWatches *self) {
    self->step_from_us = 0;
}

void mn_watches_add(MnWatches *self, MnWatch *watch, const MnReading *reading) {
    if (mn_watches_is_empty(self))
        mn_watches_forget_step(self); /* it has not been told since there was none */
    set_scale(self, reading);
    mn_crossing_add(watch->is_parked ? self->parked : self->waiting, watch, reading);
    update_needs(self);
}

void mn_watches_remove(MnWatches *self, MnWatch *watch, const MnReading *reading) {
    mn_crossing_remove(watch->is_parked ? self->parked : self->waiting, watch);
    update_needs(self);
    update_pace(self, reading);
}

void mn_watches_advance(MnWatches *self, const MnReading *reading) {
    set_scale(self, reading);
    advance(self, reading);
}

void mn_watches_follow_parked(MnWatches *self) {
    self->follows_parked = TRUE;
    update_needs(self);
}

void mn_watches_leave_parked(MnWatches *self, const MnReading *reading) {
    self->follows_parked = FALSE;
    update_needs(self);
    update_pace(self, reading);
}

/* How far the meter moved that came nearest to limits. */
static guint64 approach(const MnWatches *self, const MnReading *now) {
    guint64 waiting = mn_crossing_approach(self->waiting, &self->step_from, now);

    return self->follows_parked ? MAX(waiting, mn_crossing_approach(self->parked, &self->step_from, now)) : waiting;
}

/* Learns from the step between two moments how fast memory fills up, if both have measured all meters
 * with limits. What others write into a copy is no memory. */
static void note_fill(MnWatches *self, const MnMoment *moment) {
    gint64 step_us = moment->time_us - self->step_from_us;

    if (!mn_probe_is_live(self->probe) || step_us < MN_FILL_STEP_US)
        return;
    if (self->step_from_us > 0 && !(self->subscriber.needs.meters & ~self->step_meters))
        mn_fill_step(&self->fill, approach(self, &moment->measured), step_us, moment->time_us);
    self->step_from = moment->measured;
    self->step_from_us = moment->time_us;
    self->step_meters = moment->meters;
}

static void on_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnWatches *self = (MnWatches *)subscriber;

    note_fill(self, moment);
    mn_watches_advance(self, &moment->reading);
}
