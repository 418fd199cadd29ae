/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/zone.h"

/* mem_notify v6: when there is pressure, and how few are told at a time. Times are microseconds of
 * one clock that never goes back. */

/* The shortest time between two notifications, and how long pressure that is not seen any more
 * still counts. */
#define MN_HERD_INTERVAL_US (200 * G_TIME_SPAN_MILLISECOND)

/* How many waiting opens a notification wakes when `watchers` have the file open. */
guint mn_herd_woken(guint watchers);

/* How long an open that has reported POLLIN reports nothing. */
gint64 mn_herd_guard_us(guint watchers);

/* How a notification is divided between the `signalled` watchers who want a signal and the others;
 * each share is rounded up. */
typedef struct MnHerdShare {
    guint signals;
    guint wakes;
} MnHerdShare;

MnHerdShare mn_herd_share(guint watchers, guint signalled);

typedef struct MnHerdZone {
    guint node;
    char name[MN_ZONE_NAME_BYTES];
    gboolean is_pressed;
} MnHerdZone;

/* Which zones are under pressure. All zero: none is, and there was no notification yet. */
typedef struct MnHerd {
    MnHerdZone *zones; /* in the order of the last MnZones */
    MnHerdZone *last_zones;
    guint n;
    guint size; /* of both */
    guint n_pressed;
    gint64 notified_us;
    gint64 reclaimed_us; /* when reclaim of anonymous memory was seen last */
    gboolean was_notified;
    gboolean was_reclaimed;
} MnHerd;

void mn_herd_clear(MnHerd *self);

/* Nobody is there any more: no zone is under pressure. */
void mn_herd_reset(MnHerd *self);

/* A zone that is too small for the others of its node to matter. */
gboolean mn_herd_ignores(const MnZone *zone);

/* At or below this many free pages reclaim of anonymous memory means pressure. */
guint64 mn_herd_threshold(const MnZone *zone);

/* Moves on to the zones of the moment `time_us`, before which anonymous memory was reclaimed or not.
 * TRUE: notify. Allocates only when there are more zones than ever before.
 *
 * A zone comes under pressure when anonymous memory is being reclaimed and its free pages do not
 * exceed its threshold, unless the last notification is less than MN_HERD_INTERVAL_US ago; the zones
 * that do so at the same moment share one notification. It is relieved, which nobody is told, when
 * its free pages exceed the threshold or reclaim was not seen for MN_HERD_INTERVAL_US. A zone that
 * was not there before begins without pressure. */
gboolean mn_herd_advance(MnHerd *self, const MnZones *zones, gboolean is_reclaimed, gint64 time_us);

/* mem_notify_status of a zone: -1 ignored, 0 no pressure, 1 pressure. */
int mn_herd_get_status(const MnHerd *self, const MnZone *zone);
