/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those who see every sample. They are one for each device that is open, however many have it open,
 * so that a list will do. */
#include "observer.h"

/* A machine that uses its memory as page cache is always within a few megabytes of its low watermark,
 * which memory could fill in a millisecond or two. As long as the kernel does nothing about it, a
 * look takes 70 us, and looking a hundred times a second would be too much for the usual state of
 * things. */
#define QUIET_MS 50

/* Where there is nothing left to reclaim it takes a tenth of a second and less from the last reclaim
 * that helped to the OOM killer. So whoever has seen the kernel reclaim keeps looking for a while. */
#define NEAR_US G_TIME_SPAN_SECOND

void mn_observer_set_pace(MnObserver *self, const MnMoment *moment, MnWatermark mark, gboolean is_reclaiming) {
    if (is_reclaiming || mn_zones_distance(moment->zones, MN_WATERMARK_LOW) == 0)
        self->near_until_us = moment->time_us + NEAR_US;

    if (moment->time_us < self->near_until_us) {
        self->distance_pages = 0;
        self->shortest_ms = 0;
    } else {
        self->distance_pages = mn_zones_distance(moment->zones, mark);
        self->shortest_ms = QUIET_MS;
    }
}

void mn_observers_add(MnObservers *self, MnObserver *observer) {
    observer->distance_pages = G_MAXUINT64;
    observer->is_reached = FALSE;
    observer->near_until_us = 0;
    observer->next = self->first;
    self->first = observer;
}

void mn_observers_remove(MnObservers *self, MnObserver *observer) {
    MnObserver **link = &self->first;

    while (*link && *link != observer)
        link = &(*link)->next;
    if (*link)
        *link = observer->next;
}

gboolean mn_observers_is_empty(const MnObservers *self) {
    return !self->first;
}

guint mn_observers_sources(const MnObservers *self) {
    guint sources = 0;

    for (const MnObserver *observer = self->first; observer; observer = observer->next)
        sources |= observer->sources;
    return sources;
}

guint64 mn_observers_counters(const MnObservers *self) {
    guint64 counters = 0;

    for (const MnObserver *observer = self->first; observer; observer = observer->next)
        counters |= observer->counters;
    return counters;
}

void mn_observers_tell(const MnObservers *self, const MnMoment *moment) {
    for (MnObserver *observer = self->first; observer; observer = observer->next)
        observer->told(observer, moment);
}

guint64 mn_observers_next_ms(const MnObservers *self, const MnPace *pace, const MnParameters *parameters) {
    guint64 next_ms = G_MAXUINT64;

    for (const MnObserver *observer = self->first; observer; observer = observer->next) {
        MnPace own_pace = *pace;
        MnFill own_fill = *pace->fill;
        MnParameters own_parameters = *parameters;

        own_fill.latest = 0; /* towards the limits of others */
        own_pace.fill = &own_fill;
        own_pace.distance_pages = observer->distance_pages;
        own_pace.is_reached = observer->is_reached;
        own_parameters.update_period_ms = MAX(parameters->update_period_ms, observer->shortest_ms);
        own_parameters.max_update_period_ms = MN_OBSERVER_LONGEST_MS;
        next_ms = MIN(next_ms, mn_pace_next_ms(&own_pace, &own_parameters));
    }
    return next_ms;
}
