/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those to whom moments are told. They are one for all limits, one for each device that is open, however many have
 * it open, and two for memcg/, so that a list will do. */
#include "subscriber.h"

/* A machine that uses its memory as page cache is always within a few megabytes of its low watermark,
 * which memory could fill in a millisecond or two. As long as the kernel does nothing about it, a
 * look takes 70 us, and looking a hundred times a second would be too much for the usual state of
 * things. */
#define QUIET_MS 50

/* Where there is nothing left to reclaim it takes a tenth of a second and less from the last reclaim
 * that helped to the OOM killer. So whoever has seen the kernel reclaim keeps looking for a while. */
#define NEAR_US G_TIME_SPAN_SECOND

void mn_subscriber_set_pace(MnSubscriber *self, const MnMoment *moment, MnWatermark mark, gboolean is_reclaiming) {
    if (is_reclaiming || mn_zones_distance(moment->zones, MN_WATERMARK_LOW) == 0)
        self->near_until_us = moment->time_us + NEAR_US;

    self->longest_ms = MN_SUBSCRIBER_LONGEST_MS;
    if (moment->time_us < self->near_until_us) {
        self->distance_pages = 0;
        self->shortest_ms = 0;
    } else {
        self->distance_pages = mn_zones_distance(moment->zones, mark);
        self->shortest_ms = QUIET_MS;
    }
}

void mn_subscriber_hasten(MnSubscriber *self) {
    self->turn_us = 0;
}

void mn_subscribers_add(MnSubscribers *self, MnSubscriber *subscriber) {
    subscriber->distance_pages = G_MAXUINT64;
    subscriber->is_reached = FALSE;
    subscriber->near_until_us = 0;
    subscriber->turn_us = 0;
    subscriber->is_due = FALSE;
    subscriber->next = self->first;
    self->first = subscriber;
}

void mn_subscribers_remove(MnSubscribers *self, MnSubscriber *subscriber) {
    MnSubscriber **link = &self->first;

    while (*link && *link != subscriber)
        link = &(*link)->next;
    if (*link)
        *link = subscriber->next;
}

gboolean mn_subscribers_is_empty(const MnSubscribers *self) {
    return !self->first;
}

/* How long a subscriber of a period has still to wait; 0 when it is its turn. */
static guint64 left_ms(const MnSubscriber *self, gint64 now_us) {
    gint64 left_us = self->turn_us + (gint64)self->period_ms * G_TIME_SPAN_MILLISECOND - now_us;

    return self->turn_us == 0 || left_us <= 0 ? 0 : (guint64)(left_us - 1) / G_TIME_SPAN_MILLISECOND + 1;
}

void mn_subscribers_make_due(MnSubscribers *self) {
    for (MnSubscriber *subscriber = self->first; subscriber; subscriber = subscriber->next)
        subscriber->turn_us = 0;
}

void mn_subscribers_prepare(MnSubscribers *self, gint64 now_us, MnNeeds *needs) {
    for (MnSubscriber *subscriber = self->first; subscriber; subscriber = subscriber->next) {
        subscriber->is_due = subscriber->period_ms == 0 || left_ms(subscriber, now_us) <= MN_SUBSCRIBER_EARLY_MS;
        if (!subscriber->is_due)
            continue;
        subscriber->turn_us = now_us;
        needs->meters |= subscriber->needs.meters;
        needs->machine |= subscriber->needs.machine;
        needs->counters |= subscriber->needs.counters;
    }
}

/* Zones and what memcg/ tells may be damaged or gone while the meters are good; and the meters' group may be gone while
 * the machine goes on. */
static gboolean has_all(const MnMoment *moment, const MnSubscriber *subscriber) {
    guint machine = subscriber->needs.machine;

    return !(moment->is_gone && subscriber->needs.meters) &&
           (!(machine & MN_SOURCE_ZONEINFO) || moment->zones->n > 0) &&
           (!(machine & MN_SOURCE_RECLAIM) || moment->has_reclaim) && (!(machine & MN_SOURCE_OOMS) || moment->has_ooms);
}

void mn_subscribers_tell(MnSubscribers *self, const MnMoment *moment) {
    for (MnSubscriber *subscriber = self->first; subscriber; subscriber = subscriber->next) {
        if (subscriber->is_due && has_all(moment, subscriber))
            subscriber->told(subscriber, moment);
    }
}

static guint64 next_ms(const MnSubscriber *self, gint64 last_us, const MnPace *pace, const MnParameters *parameters) {
    MnParameters own_parameters = *parameters;
    MnPace own_pace = *pace;
    MnFill own_fill = *pace->fill;

    if (self->period_ms > 0)
        return left_ms(self, last_us);

    if (!self->is_approached)
        own_fill.latest = 0;
    own_pace.fill = &own_fill;
    own_pace.distance_pages = self->distance_pages;
    own_pace.is_reached = self->is_reached;
    own_parameters.update_period_ms = MAX(parameters->update_period_ms, self->shortest_ms);
    if (self->longest_ms > 0)
        own_parameters.max_update_period_ms = self->longest_ms;
    return mn_pace_next_ms(&own_pace, &own_parameters);
}

guint64 mn_subscribers_next_ms(const MnSubscribers *self, gint64 last_us, const MnPace *pace,
                               const MnParameters *parameters) {
    guint64 soonest_ms = G_MAXUINT64;

    for (const MnSubscriber *subscriber = self->first; subscriber; subscriber = subscriber->next)
        soonest_ms = MIN(soonest_ms, next_ms(subscriber, last_us, pace, parameters));
    return soonest_ms;
}
