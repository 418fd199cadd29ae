/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Steps shorter than this prove nothing: the kernel puts what its CPUs have counted together in
 * portions. */
#define MN_FILL_STEP_US 5000

/* What was seen is remembered for so long at least, and twice as long at most. */
#define MN_FILL_MEMORY_US (5 * G_TIME_SPAN_MINUTE)

/* How fast memory fills up, as the samples show it; pages per second. All zero: nothing seen yet. */
typedef struct MnFill {
    guint64 latest;         /* in the last step */
    guint64 fastest;        /* since since_us */
    guint64 fastest_before; /* in the time of remembrance before that */
    gint64 since_us;
} MnFill;

/* In a step of step_us (at least MN_FILL_STEP_US) that ended at now_us, `pages` filled up. */
void mn_fill_step(MnFill *self, guint64 pages, gint64 step_us, gint64 now_us);

/* How fast it should be expected to fill at most: a little more than what is remembered, since a step
 * shows an average. */
guint64 mn_fill_expected(const MnFill *self);
