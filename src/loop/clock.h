/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <time.h>

/* What time it is. Nobody asks anything else for it, so whoever makes the moments (the machine, a test, a
 * recording) makes the time that they belong to. */
typedef struct MnClock MnClock;
struct MnClock {
    /* Microseconds; never go back, and do not begin with 0. */
    gint64 (*now_us)(const MnClock *self);

    /* How many microseconds of the machine's time it takes until it is `time_us`; 0 or less when it is,
     * G_MAXINT64 while the clock stands still. */
    gint64 (*wait_us)(const MnClock *self, gint64 time_us);
};

/* The machine's: CLOCK_MONOTONIC. */
extern const MnClock mn_machine_clock;

static inline gint64 mn_clock_now_us(const MnClock *self) {
    return self->now_us(self);
}

static inline gint64 mn_clock_wait_us(const MnClock *self, gint64 time_us) {
    return self->wait_us(self, time_us);
}

/* The date, as files and logs have it: CLOCK_REALTIME. */
struct timespec mn_date_now(void);

/* How many microseconds of a CPU this process has used: CLOCK_PROCESS_CPUTIME_ID. */
gint64 mn_cpu_used_us(void);

/* Since the machine was started, with what it has slept: CLOCK_BOOTTIME. */
struct timespec mn_uptime_now(void);
