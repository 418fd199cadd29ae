/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"
#include "core/zone.h"

/* The counters that mn_reclaim_takes_anonymous() looks at; those that a kernel does not have may be
 * missing from the samples. */
#define MN_RECLAIM_COUNTERS                                                                        \
    (MN_COUNTERS_RECLAIM | MN_COUNTER_BIT(MN_COUNTER_ANON) | MN_COUNTER_BIT(MN_COUNTER_SHMEM) |    \
     MN_COUNTER_BIT(MN_COUNTER_SWAP_TOTAL) | MN_COUNTER_BIT(MN_COUNTER_SWAP_FREE))

/* How much a counter has grown, 0 when it went backwards or is unknown to one of the two. */
guint64 mn_reclaim_growth(const MnSample *then, const MnSample *now, MnCounter counter);

/* Whether, between two samples, the kernel has reclaimed anonymous memory or, without swap, would
 * have if it could. */
gboolean mn_reclaim_takes_anonymous(const MnSample *then, const MnSample *now, const MnZones *zones);
