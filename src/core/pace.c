/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When to sample next: a function of what the last sample showed. */
#include "pace.h"

#define BYTES_PER_MIB G_GUINT64_CONSTANT(1048576)

/* The time in which `distance_pages` fill up at the assumed rate, rounded down. */
static guint64 fill_time_ms(const MnPace *pace, guint64 fill_rate_mib) {
    guint64 pages_per_s = fill_rate_mib * (BYTES_PER_MIB / pace->page_bytes);

    if (pace->distance_pages >= G_MAXUINT64 / 1000)
        return G_MAXUINT64;
    return pace->distance_pages * 1000 / pages_per_s;
}

guint64 mn_pace_next_ms(const MnPace *pace, const MnParameters *parameters) {
    guint64 shortest_ms = parameters->update_period_ms;
    guint64 longest_ms = MAX(shortest_ms, parameters->max_update_period_ms);
    guint64 next_ms;

    if (parameters->fill_rate_mib == 0)
        next_ms = pace->has_moved ? shortest_ms : 2 * pace->period_ms;
    else
        next_ms = fill_time_ms(pace, parameters->fill_rate_mib);

    if (pace->is_reached && parameters->fill_rate_mib > 0)
        next_ms = MIN(next_ms, MN_PACE_REACHED_MS);

    return CLAMP(next_ms, shortest_ms, longest_ms);
}
