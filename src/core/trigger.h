/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"
#include "core/stall.h"

/* The windows that a trigger may have. */
#define MN_TRIGGER_WINDOW_US_MIN 50000
#define MN_TRIGGER_WINDOW_US_MAX 10000000

/* Whether tasks have waited for memory for so long within a window, as the kernel's pressure-stall triggers have it.
 * Copied by assignment. */
typedef struct MnTrigger {
    MnStallKind kind;
    guint32 threshold_us;
    guint32 window_us;

    gboolean is_started;
    gboolean is_pending; /* the threshold was reached, and there was an event less than a window ago */
    gint64 window_from_us;
    guint64 window_total_us; /* the total when the window began */
    guint64 last_growth_us;  /* that of the window before */
    guint64 total_us;        /* at the last advance */
    gint64 next_event_us;    /* there is none before */
} MnTrigger;

/* Parses "some 150000 1000000" into a trigger that is not started: kind, threshold and window in microseconds.
 *
 * As the kernel's psi_write() and its sscanf(): blanks, of which there may be none before the first number; what
 * follows the second number is ignored, and so is what follows 31 bytes, or a NUL; numbers have 32 bits, higher ones are
 * lost. The kernel replaces the last byte that is written by a NUL, which costs whoever ends with a digit that digit;
 * here it counts. -EINVAL, with nothing written: anything else, a window that is shorter or longer than the above, a
 * threshold that is 0 or longer than the window. Then `fault`, which may be NULL, says what a trigger looks like. */
int mn_trigger_parse(const char *text, gsize len, MnFault *fault, MnTrigger *ret) G_GNUC_WARN_UNUSED_RESULT;

/* It is `now_us`, and so much was stalled up to then: whether there is an event. The first time there is none, and the
 * window begins. Nor is one where the total is lower than it was, since it is another's then.
 *
 * There should be ten looks in a window. This need not be called for one that has found the total unchanged, unless
 * an event is pending; `last_look_us` is when the last one was all the same. */
gboolean mn_trigger_advance(MnTrigger *self, gint64 last_look_us, gint64 now_us, guint64 total_us);
