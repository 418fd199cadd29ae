/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/stall.h"

/* What somebody wants the stalls to be, instead of what is measured. */
typedef struct MnStallChoice {
    guint chosen;                /* MN_STALL_BIT()s: those that get percent[kind] */
    guint measured;              /* those that are measured again */
    guint8 percent[MN_N_STALLS]; /* of the time, from then on */
} MnStallChoice;

/* What the kinds are called there: "stall_some". */
extern const char *const mn_stall_share_names[MN_N_STALLS];

/* Stalls that take a chosen share of the time. As long as one kind is chosen the other is not measured either: "some"
 * is as much as "full" then, and "full" is nothing. All zero: none is chosen. Part of what is simulated. */
typedef struct MnStallShare {
    guint chosen;
    guint8 percent[MN_N_STALLS];
    gint64 since_us; /* the shares are these */
    guint64 since_total_us[MN_N_STALLS];

    gint64 period_from_us; /* the present period of the averages began */
    guint64 period_total_us[MN_N_STALLS];
    double averages[MN_N_STALLS][MN_N_STALL_AVERAGES]; /* per cent, at that time */
    guint64 ahead_us[MN_N_STALLS];                     /* of what is measured, modulo 2^64 */
} MnStallShare;

/* Takes over a choice at `now_us`, when the stalls are `measured`. The totals go on from where they are. */
void mn_stall_share_set(MnStallShare *self, const MnStallChoice *choice, gint64 now_us, const MnStalls *measured);

/* Puts what is chosen in the place of what is measured, at `now_us`. A total never goes back, also when it is measured
 * again. "full" is never more than "some". */
void mn_stall_share_apply(MnStallShare *self, gint64 now_us, MnStalls *stalls);
