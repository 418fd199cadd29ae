/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"

/* The counters that mn_reclaim_advance() looks at; those that a kernel does not have may be
 * missing from the samples. */
#define MN_RECLAIM_COUNTERS                                                                                            \
    (MN_COUNTERS_RECLAIM | MN_COUNTER_BIT(MN_COUNTER_ANON) | MN_COUNTER_BIT(MN_COUNTER_FILE) |                         \
     MN_COUNTER_BIT(MN_COUNTER_SHMEM) | MN_COUNTER_BIT(MN_COUNTER_SLAB_RECLAIMABLE) |                                  \
     MN_COUNTER_BIT(MN_COUNTER_SWAP_FREE))

/* How much a counter has grown, 0 when it went backwards or is unknown to one of the two. */
guint64 mn_reclaim_growth(const MnSample *then, const MnSample *now, MnCounter counter);

/* What the kernel reclaims, from sample to sample. All zero: no sample was seen yet. */
typedef struct MnReclaim {
    gboolean has_last;
    MnSample last;
    MnSample window_start;    /* of what is added up to see whether it reclaims in vain */
    gboolean is_on;           /* it has reclaimed, or tried to, since the sample before */
    gboolean takes_anonymous; /* it has taken anonymous memory or, without swap, would if it could */
} MnReclaim;

/* Moves on to a sample and sets the last two. The first only tells where the counters are. */
void mn_reclaim_advance(MnReclaim *self, const MnSample *sample);
