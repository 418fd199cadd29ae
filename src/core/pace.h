/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fill.h"
#include "core/parameter.h"

/* While a limit is reached memory may be freed in an instant, however far away that is. */
#define MN_PACE_REACHED_MS 250

/* What is known when a sample has been taken. */
typedef struct MnPace {
    guint64 distance_pages; /* to the nearest limit not yet reached; G_MAXUINT64 for none */
    guint page_bytes;
    const MnFill *fill;  /* how fast memory was seen to fill up */
    gboolean is_reached; /* some limit is reached */
    gboolean has_moved;  /* some meter is away from its baseline by the hysteresis or more */
    guint64 period_ms;   /* the period that has just ended; 0 for none */
} MnPace;

/* How long to wait before the next sample, in ms.
 *
 * With a fill_rate: as long as memory needs for the distance if it fills at that rate, or at one that
 * was seen and is higher; between update_period and max_update_period, and not more than
 * MN_PACE_REACHED_MS while a limit is reached. Where it would be reached within one update_period
 * more at the speed of now, until then, though at least half an update_period.
 *
 * Without one, as the driver of 2012 did it: update_period after a sample that has moved, else twice
 * the period before, up to max_update_period. */
guint64 mn_pace_next_ms(const MnPace *pace, const MnParameters *parameters);
