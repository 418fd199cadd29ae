/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* From the first signal of one process to that of the next. */
#define MN_KILLING_APART_MS 5000
/* How often to look again while the limit is reached but not low enough for a step. */
#define MN_KILLING_RECHECK_MS 250

/* What is known before a step. Moments are CLOCK_MONOTONIC microseconds, 0 for never. */
typedef struct MnKilling {
    gint64 now_us;
    gint64 last_us;       /* when some process was last sent SIGTERM */
    gint64 terminated_us; /* when the living one that is being ended was sent SIGTERM */
    gint64 killed_us;     /* when it was sent SIGKILL */
    gboolean has_next;    /* there is a living one that has been sent nothing */
    gboolean is_low;      /* the limit is met at this very moment */
    gint64 grace_ms;
} MnKilling;

typedef enum MnKillingStep {
    MN_KILLING_WAIT,
    MN_KILLING_TERMINATE, /* SIGTERM to the next */
    MN_KILLING_KILL,      /* SIGKILL to the one that is being ended */
} MnKillingStep;

/* The step to take now. *ret_again_us: when to ask again if nothing else happens; 0 for not at all. */
MnKillingStep mn_killing_next(const MnKilling *killing, gint64 *ret_again_us);
