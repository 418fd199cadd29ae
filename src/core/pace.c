/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When to sample next: a function of what the last samples showed. */
#include "pace.h"

#define BYTES_PER_MIB G_GUINT64_CONSTANT(1048576)

/* The time in which `distance_pages` fill up, rounded down. */
static guint64 fill_time_ms(const MnPace *pace, guint64 pages_per_s) {
    if (pace->distance_pages >= G_MAXUINT64 / 1000)
        return G_MAXUINT64;
    return pace->distance_pages * 1000 / pages_per_s;
}

static guint64 fastest(const MnPace *pace, const MnParameters *parameters) {
    guint64 assumed = parameters->fill_rate_mib * (BYTES_PER_MIB / pace->page_bytes);

    return MAX(assumed, mn_fill_expected(pace->fill));
}

/* When the limit will have been reached if all goes on as it does; G_MAXUINT64 when it will not be.
 * Speed and distance are not exact, and being early costs more than being late. */
static guint64 arrival_ms(const MnPace *pace) {
    guint64 ms = pace->fill->latest > 0 ? fill_time_ms(pace, pace->fill->latest) : G_MAXUINT64;

    return ms < G_MAXUINT64 ? ms + ms / 8 + 1 : ms;
}

/* A sample that comes at the moment of arrival sees the limit reached at once. It may be put off for
 * that by one period at most, which is what a crossing may be late by, and be early by half of one. */
static guint64 aim(const MnPace *pace, guint64 soonest_ms, guint64 shortest_ms) {
    guint64 half_ms = shortest_ms / 2;
    guint64 arrival = MAX(arrival_ms(pace), half_ms);

    return arrival < MAX(soonest_ms, half_ms) + shortest_ms ? arrival : MAX(soonest_ms, shortest_ms);
}

guint64 mn_pace_next_ms(const MnPace *pace, const MnParameters *parameters) {
    guint64 shortest_ms = parameters->update_period_ms;
    guint64 longest_ms = MAX(shortest_ms, parameters->max_update_period_ms);
    guint64 next_ms;

    if (parameters->fill_rate_mib == 0)
        return CLAMP(pace->has_moved ? shortest_ms : 2 * pace->period_ms, shortest_ms, longest_ms);

    next_ms = MIN(fill_time_ms(pace, fastest(pace, parameters)), longest_ms);
    next_ms = aim(pace, next_ms, shortest_ms);
    if (pace->is_reached)
        next_ms = MIN(next_ms, MAX(shortest_ms, MN_PACE_REACHED_MS));
    return MIN(next_ms, longest_ms);
}
