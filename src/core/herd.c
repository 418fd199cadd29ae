/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of mem_notify v6. */
#include "herd.h"

#include "core/number.h"

#include <string.h>

#define WATCHERS_A_WAKE 16
#define WOKEN_MAX 100
#define GUARD_US_MAX (10 * G_TIME_SPAN_SECOND)
#define SMALL_ZONE_PART 10

guint mn_herd_woken(guint watchers) {
    return MIN(watchers / WATCHERS_A_WAKE + 1, WOKEN_MAX);
}

gint64 mn_herd_guard_us(guint watchers) {
    return MIN(MN_HERD_INTERVAL_US * (gint64)watchers, GUARD_US_MAX);
}

static guint part_of(guint woken, guint part, guint watchers) {
    guint64 share = ((guint64)part * woken + watchers - 1) / watchers;

    return (guint)MIN(share, part);
}

MnHerdShare mn_herd_share(guint watchers, guint signalled) {
    guint woken = mn_herd_woken(watchers);

    if (watchers == 0)
        return (MnHerdShare){ 0 };
    return (MnHerdShare){ .signals = part_of(woken, signalled, watchers),
                          .wakes = part_of(woken, watchers - signalled, watchers) };
}

void mn_herd_clear(MnHerd *self) {
    g_free(self->zones);
    g_free(self->last_zones);
    *self = (MnHerd){ 0 };
}

void mn_herd_reset(MnHerd *self) {
    self->n = 0;
    self->n_pressed = 0;
    self->was_notified = FALSE;
    self->was_reclaimed = FALSE;
}

gboolean mn_herd_ignores(const MnZone *zone) {
    return zone->present < zone->node_present / SMALL_ZONE_PART;
}

guint64 mn_herd_threshold(const MnZone *zone) {
    guint64 half = mn_add(zone->high, zone->upper_reserve);

    return mn_add(half, half);
}

/* Where a zone was last time: mostly where it is now. NULL when it was not there. */
static const MnHerdZone *find(const MnHerdZone *zones, guint n, guint likely, const MnZone *zone) {
    if (likely < n && mn_zone_is_same(zone, zones[likely].node, zones[likely].name))
        return &zones[likely];
    for (guint i = 0; i < n; i++)
        if (mn_zone_is_same(zone, zones[i].node, zones[i].name))
            return &zones[i];
    return NULL;
}

/* Takes over the zones that there are now, each with the state it had. */
static void follow(MnHerd *self, const MnZones *zones) {
    MnHerdZone *last;
    guint last_n = self->n;

    if (zones->n > self->size) {
        self->size = MAX(zones->n, zones->size);
        self->zones = g_renew(MnHerdZone, self->zones, self->size);
        self->last_zones = g_renew(MnHerdZone, self->last_zones, self->size);
    }

    last = self->zones;
    self->zones = self->last_zones;
    self->last_zones = last;
    self->n = zones->n;
    for (guint i = 0; i < zones->n; i++) {
        const MnHerdZone *was = find(last, last_n, i, &zones->zones[i]);

        self->zones[i].node = zones->zones[i].node;
        memcpy(self->zones[i].name, zones->zones[i].name, MN_ZONE_NAME_BYTES);
        self->zones[i].is_pressed = was && was->is_pressed;
    }
}

static gboolean is_within(gboolean ever, gint64 then_us, gint64 now_us) {
    return ever && now_us - then_us < MN_HERD_INTERVAL_US;
}

static gboolean is_short(const MnZone *zone) {
    return mn_zone_is_populated(zone) && !mn_herd_ignores(zone) && zone->free <= mn_herd_threshold(zone);
}

gboolean mn_herd_advance(MnHerd *self, const MnZones *zones, gboolean is_reclaimed, gint64 time_us) {
    gboolean may_notify = !is_within(self->was_notified, self->notified_us, time_us);
    gboolean notify = FALSE, is_recent;

    if (is_reclaimed) {
        self->reclaimed_us = time_us;
        self->was_reclaimed = TRUE;
    }
    is_recent = is_within(self->was_reclaimed, self->reclaimed_us, time_us);

    follow(self, zones);
    self->n_pressed = 0;
    for (guint i = 0; i < zones->n; i++) {
        gboolean *is_pressed = &self->zones[i].is_pressed;

        if (!is_short(&zones->zones[i]) || !is_recent) {
            *is_pressed = FALSE;
        } else if (is_reclaimed && may_notify) {
            *is_pressed = TRUE;
            notify = TRUE;
        }
        self->n_pressed += *is_pressed;
    }

    if (notify) {
        self->notified_us = time_us;
        self->was_notified = TRUE;
    }
    return notify;
}

int mn_herd_get_status(const MnHerd *self, const MnZone *zone) {
    const MnHerdZone *found;

    if (mn_herd_ignores(zone))
        return -1;
    found = find(self->zones, self->n, 0, zone);
    return found && found->is_pressed ? 1 : 0;
}
