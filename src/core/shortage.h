/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"
#include "core/zone.h"

/* What a shortage is, and the text that says which it was. */
typedef enum MnShortageKind {
    MN_SHORTAGE_ORDINARY, /* oom_notify: pages are swapped out, or a zone is below low */
    MN_SHORTAGE_CRITICAL, /* oom_notify_critical: everybody waits for memory, or a zone is below min */
} MnShortageKind;

/* How long pages that were swapped out, or a time of waiting, count. */
#define MN_SHORTAGE_MEMORY_US G_TIME_SPAN_SECOND

/* Whether memory is short. Times are microseconds of one clock that never goes back. */
typedef struct MnShortage {
    MnShortageKind kind;
    gboolean has_last; /* there was a moment before */
    MnSample last;
    gboolean is_below;
    MnZone zone;           /* the first that is below */
    guint64 swapped_pages; /* at the last moment when some were */
    gint64 swapping_until_us;
    guint64 stalled_percent; /* at the last moment when it was more than half */
    gint64 stalled_until_us;
    gint64 window_start_us; /* of the second over which waiting is added up */
    guint64 window_start_total;
    guint64 window_growth; /* of the second before it */
} MnShortage;

void mn_shortage_init(MnShortage *self, MnShortageKind kind);

/* The counters it looks at. */
guint64 mn_shortage_counters(MnShortageKind kind);
MnWatermark mn_shortage_watermark(MnShortageKind kind);

/* Moves on to the moment `time_us`. The first only tells where the counters are: what was swapped
 * out before somebody asked is no event. Nor is a counter that went backwards. */
void mn_shortage_advance(MnShortage *self, const MnSample *sample, const MnZones *zones, gint64 time_us);

/* Whether memory is short at `now_us`, not before the last moment. */
gboolean mn_shortage_holds(const MnShortage *self, gint64 now_us);

/* A buffer of this size holds the line of mn_shortage_describe(), with its NUL. */
#define MN_SHORTAGE_LINE_BYTES 128

/* One line that says why: "low node=0 zone=Normal free=5000 low=5100\n" ("min … min=…" for the
 * critical kind), "swapping pages=31\n", "stalled percent=70\n" or "ok\n". */
void mn_shortage_describe(const MnShortage *self, gint64 now_us, char line[MN_SHORTAGE_LINE_BYTES]);
