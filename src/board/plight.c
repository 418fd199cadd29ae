/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers that the kernel would show: whoever judges by them does so as in earnest.
 *
 * Counters go on from where they are and are never taken back, as the kernel's. Which zone is short does not matter to those
 * who wait; it is the largest, of which devices/mem_notify does not think too little. */
#include "plight.h"

#include "core/herd.h"
#include "core/number.h"

#include <string.h>

/* Looked at from moment to moment while it swaps: as much as makes a window of core/reclaim. */
#define TAKEN_AT_ONCE 512

/* So many that what the kernel really scans meanwhile does not matter. */
#define SCANNED_AT_ONCE (G_GUINT64_CONSTANT(1) << 24)

/* What is reclaimed of these, by pressure: clearly on its side of the bounds of core/vmpressure. */
static const guint reclaimed_percent[MN_N_PRESSURES] = {
    [MN_PRESSURE_LOW] = 100,
    [MN_PRESSURE_MEDIUM] = 20,
    [MN_PRESSURE_CRITICAL] = 0,
};

void mn_plight_clear(MnPlight *self) {
    mn_zones_clear(&self->zones);
}

gboolean mn_plight_set(MnPlight *self, const MnOverride *override) {
    self->conditions = (self->conditions & ~override->ended) | override->begun;
    self->more.ooms += override->has_oom;
    if (override->has_pressure) {
        self->more.scanned += SCANNED_AT_ONCE;
        self->more.reclaimed += SCANNED_AT_ONCE / 100 * reclaimed_percent[override->pressure];
    }
    return override->begun || override->ended || override->has_oom || override->has_pressure;
}

static gboolean has(const MnPlight *self, MnCondition condition) {
    return (self->conditions & MN_CONDITION_BIT(condition)) != 0;
}

static void count(MnSample *sample, MnCounter counter, guint64 pages) {
    if (sample->known & MN_COUNTER_BIT(counter))
        sample->counters[counter] = mn_add(sample->counters[counter], pages);
}

/* Anonymous memory was looked at and written out, and nothing gained by it. */
static void apply_to_sample(MnPlight *self, MnMoment *moment) {
    if (has(self, MN_CONDITION_SWAPPING))
        self->taken_pages += TAKEN_AT_ONCE;
    if (self->taken_pages == 0)
        return;
    self->sample = *moment->sample;
    count(&self->sample, MN_COUNTER_SCANNED_KSWAPD, self->taken_pages);
    count(&self->sample, MN_COUNTER_SCANNED_ANON, self->taken_pages);
    count(&self->sample, MN_COUNTER_SWAPPED_OUT, self->taken_pages);
    moment->sample = &self->sample;
}

static void copy_zones(MnZones *self, const MnZones *zones) {
    if (self->size < zones->n) {
        self->size = zones->n;
        self->zones = g_renew(MnZone, self->zones, self->size);
    }
    self->n = zones->n;
    memcpy(self->zones, zones->zones, zones->n * sizeof *zones->zones);
}

static MnZone *find_largest(const MnZones *zones) {
    MnZone *largest = &zones->zones[0];

    for (guint i = 1; i < zones->n; i++)
        if (zones->zones[i].present > largest->present)
            largest = &zones->zones[i];
    return largest;
}

/* How many free pages a zone has at most under these conditions. */
static guint64 free_pages(const MnPlight *self, const MnZone *zone) {
    guint64 pages = G_MAXUINT64;

    if (has(self, MN_CONDITION_SWAPPING))
        pages = MIN(pages, mn_herd_threshold(zone));
    if (has(self, MN_CONDITION_LOW))
        pages = MIN(pages, mn_add(zone->low, zone->own_reserve));
    if (has(self, MN_CONDITION_MIN))
        pages = MIN(pages, mn_add(zone->min, zone->own_reserve));
    return pages;
}

static void apply_to_zones(MnPlight *self, MnMoment *moment) {
    MnZone *zone;

    if (self->conditions == 0 || moment->zones->n == 0)
        return;
    copy_zones(&self->zones, moment->zones);
    zone = find_largest(&self->zones);
    zone->free = MIN(zone->free, free_pages(self, zone));
    moment->zones = &self->zones;
}

void mn_plight_add_reclaim(const MnPlight *self, MnVmpressureCounters *reclaim) {
    reclaim->scanned += self->more.scanned;
    reclaim->reclaimed += self->more.reclaimed;
    reclaim->ooms += self->more.ooms;
}

guint64 mn_plight_add_ooms(const MnPlight *self, guint64 ooms) {
    return ooms + self->more.ooms;
}

void mn_plight_apply(MnPlight *self, MnMoment *moment) {
    apply_to_sample(self, moment);
    apply_to_zones(self, moment);
    if (moment->has_reclaim)
        mn_plight_add_reclaim(self, &moment->reclaim);
    if (moment->has_ooms)
        moment->ooms = mn_plight_add_ooms(self, moment->ooms);
}
