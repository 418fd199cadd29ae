/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/clock.h"

/* A clock that stands still but for what the test adds to `now_us`. */
typedef struct HandClock {
    MnClock clock;
    gint64 now_us;
} HandClock;

static inline gint64 hand_clock_now_us(const MnClock *clock) {
    return ((const HandClock *)clock)->now_us;
}

static inline gint64 hand_clock_wait_us(const MnClock *clock, gint64 time_us) {
    return time_us <= hand_clock_now_us(clock) ? 0 : G_MAXINT64;
}

#define HAND_CLOCK_AT(now_us_)                                                                                         \
    { { hand_clock_now_us, hand_clock_wait_us }, (now_us_) }
#define HAND_CLOCK HAND_CLOCK_AT(G_TIME_SPAN_SECOND)

/* One that nobody sets. */
static const HandClock still_clock = HAND_CLOCK;
