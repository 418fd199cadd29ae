/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conditions of oom_notify and its critical sibling. */
#include "shortage.h"

#include "core/reclaim.h"

#define STALLED_PERCENT 50

void mn_shortage_init(MnShortage *self, MnShortageKind kind) {
    *self = (MnShortage){ .kind = kind };
}

guint64 mn_shortage_counters(MnShortageKind kind) {
    return kind == MN_SHORTAGE_ORDINARY ? MN_COUNTER_BIT(MN_COUNTER_SWAPPED_OUT)
                                        : MN_COUNTER_BIT(MN_COUNTER_STALLED_US);
}

MnWatermark mn_shortage_watermark(MnShortageKind kind) {
    return kind == MN_SHORTAGE_ORDINARY ? MN_WATERMARK_LOW : MN_WATERMARK_MIN;
}

static void look_at_zones(MnShortage *self, const MnZones *zones) {
    self->is_below = FALSE;
    for (guint i = 0; i < zones->n && !self->is_below; i++)
        if (mn_zone_is_below(&zones->zones[i], mn_shortage_watermark(self->kind))) {
            self->is_below = TRUE;
            self->zone = zones->zones[i];
        }
}

static void look_at_swapping(MnShortage *self, const MnSample *sample, gint64 time_us) {
    guint64 pages = mn_reclaim_growth(&self->last, sample, MN_COUNTER_SWAPPED_OUT);

    if (pages > 0) {
        self->swapped_pages = pages;
        self->swapping_until_us = time_us + MN_SHORTAGE_MEMORY_US;
    }
}

/* Adds up the waiting of the last second the way psi does for its triggers: of the second before the
 * present one as much counts as still lies within a second of now. */
static void look_at_stalls(MnShortage *self, const MnSample *sample, gint64 time_us) {
    guint64 total = sample->counters[MN_COUNTER_STALLED_US];
    gint64 elapsed_us = time_us - self->window_start_us;
    guint64 growth, span_us;

    if (mn_reclaim_growth(&self->last, sample, MN_COUNTER_STALLED_US) == 0 &&
        total != self->last.counters[MN_COUNTER_STALLED_US]) { /* went backwards, or has come */
        self->window_start_us = time_us;
        self->window_start_total = total;
        self->window_growth = 0;
        return;
    }

    growth = total - self->window_start_total;
    span_us = MAX(elapsed_us, MN_SHORTAGE_MEMORY_US);
    if (elapsed_us >= MN_SHORTAGE_MEMORY_US) {
        self->window_start_us = time_us;
        self->window_start_total = total;
        self->window_growth = growth / ((gdouble)span_us / MN_SHORTAGE_MEMORY_US);
    } else {
        growth += (gdouble)self->window_growth * (MN_SHORTAGE_MEMORY_US - elapsed_us) / MN_SHORTAGE_MEMORY_US;
    }

    if ((gdouble)growth * 100 > (gdouble)span_us * STALLED_PERCENT) {
        self->stalled_percent = MIN((gdouble)growth * 100 / span_us, 100);
        self->stalled_until_us = time_us + MN_SHORTAGE_MEMORY_US;
    }
}

void mn_shortage_advance(MnShortage *self, const MnSample *sample, const MnZones *zones, gint64 time_us) {
    look_at_zones(self, zones);
    if (!self->has_last) {
        self->has_last = TRUE;
        self->window_start_us = time_us;
        self->window_start_total = sample->counters[MN_COUNTER_STALLED_US];
    } else if (self->kind == MN_SHORTAGE_ORDINARY) {
        look_at_swapping(self, sample, time_us);
    } else {
        look_at_stalls(self, sample, time_us);
    }
    self->last = *sample;
}

gboolean mn_shortage_holds(const MnShortage *self, gint64 now_us) {
    return self->is_below || now_us < self->swapping_until_us || now_us < self->stalled_until_us;
}

void mn_shortage_describe(const MnShortage *self, gint64 now_us, char line[MN_SHORTAGE_LINE_BYTES]) {
    gboolean is_ordinary = self->kind == MN_SHORTAGE_ORDINARY;
    const char *mark = is_ordinary ? "low" : "min";
    const MnZone *zone = &self->zone;

    if (self->is_below)
        g_snprintf(line, MN_SHORTAGE_LINE_BYTES,
                   "%s node=%u zone=%s free=%" G_GUINT64_FORMAT " %s=%" G_GUINT64_FORMAT "\n", mark, zone->node,
                   zone->name, zone->free, mark, is_ordinary ? zone->low : zone->min);
    else if (now_us < self->swapping_until_us)
        g_snprintf(line, MN_SHORTAGE_LINE_BYTES, "swapping pages=%" G_GUINT64_FORMAT "\n", self->swapped_pages);
    else if (now_us < self->stalled_until_us)
        g_snprintf(line, MN_SHORTAGE_LINE_BYTES, "stalled percent=%" G_GUINT64_FORMAT "\n", self->stalled_percent);
    else
        g_strlcpy(line, "ok\n", MN_SHORTAGE_LINE_BYTES);
}
