/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two samples -> has the kernel begun to reclaim anonymous memory?
 *
 * mem_notify had a hook where the kernel moves an anonymous page from the active to the inactive
 * list, or without swap where it would have. No counter shows just that; these come nearest:
 *
 * 1. pgscan_anon (5.8 and later), while there is free swap: anonymous pages at the end of the
 *    inactive list were looked at. The kernel moves anonymous pages there when it is going to look at
 *    them, so the two begin together. (pgdeactivate counts the move itself, but file pages with it.)
 * 2. pswpout, on kernels without pgscan_anon: they were written out. That is later than the hook.
 * 3. Without swap, or when swap is full, today's kernel leaves anonymous pages alone; and 2 comes
 *    late. So the original's own decision is made again. It took mapped and anonymous pages when
 *    "mapped / 2 + swappiness + distress" reached 100: mapped in per cent of all pages, swappiness at
 *    its preset 60, distress from 0 to 100 the more vain its scanning. Here:
 *    - reclaim is going on: pgscan_kswapd or pgscan_direct grew, or pageoutrun or allocstall, which
 *      count its beginnings, for it may find nothing to scan; and
 *    - 80 % of memory is anonymous, or mapped, or shared memory (which without swap is as stuck as
 *      anonymous memory; the original left it out); or 60 % of what was scanned could not be
 *      reclaimed, or there was nothing to scan. That is vmpressure's measure (3.10), and its level "medium", in the place of
 *      distress, which came from a priority that no file shows.
 *
 * What this misses: an anonymous page that is moved but never looked at; which zone it was in
 * (kernels from 4.8 reclaim by node, so each zone that is short of free pages counts); which of two
 * samples it was nearer to. What it adds: pgscan_anon also counts reclaim within a cgroup at its own
 * limit; that the zone must be short of free pages keeps most of that out. */
#include "reclaim.h"

#define SWAPPINESS 60
#define VAIN_PERCENT 60 /* vmpressure's "medium" */

static gboolean has(const MnSample *sample, MnCounter counter) {
    return (sample->known & MN_COUNTER_BIT(counter)) != 0;
}

guint64 mn_reclaim_growth(const MnSample *then, const MnSample *now, MnCounter counter) {
    if (!has(then, counter) || !has(now, counter))
        return 0;
    return now->counters[counter] > then->counters[counter]
               ? now->counters[counter] - then->counters[counter]
               : 0;
}

static gdouble managed_pages(const MnZones *zones) {
    gdouble pages = 0;

    for (guint i = 0; i < zones->n; i++)
        pages += zones->zones[i].managed;
    return pages;
}

/* In floating point, so that no sum overflows. */
static gdouble mapped_percent(const MnSample *sample, const MnZones *zones) {
    const guint64 *counters = sample->counters;
    gdouble stuck = (gdouble)counters[MN_COUNTER_ANON] +
                    (gdouble)MAX(counters[MN_COUNTER_MAPPED], counters[MN_COUNTER_SHMEM]);

    return 100 * stuck / MAX(managed_pages(zones), 1);
}

static gboolean would_take_anonymous(const MnSample *then, const MnSample *now,
                                     const MnZones *zones) {
    gdouble scanned = (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_SCANNED_KSWAPD) +
                      (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_SCANNED_DIRECT);
    gdouble reclaimed = (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED_KSWAPD) +
                        (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED_DIRECT) +
                        (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED);

    if (scanned == 0)
        return mn_reclaim_growth(then, now, MN_COUNTER_KSWAPD_RUNS) > 0 ||
               mn_reclaim_growth(then, now, MN_COUNTER_DIRECT_RUNS) > 0;
    return mapped_percent(now, zones) / 2 + SWAPPINESS >= 100 ||
           100 * (scanned - reclaimed) >= VAIN_PERCENT * scanned;
}

gboolean mn_reclaim_takes_anonymous(const MnSample *then, const MnSample *now, const MnZones *zones) {
    gboolean has_room = now->counters[MN_COUNTER_SWAP_FREE] > 0;

    if (has_room && has(now, MN_COUNTER_SCANNED_ANON))
        return mn_reclaim_growth(then, now, MN_COUNTER_SCANNED_ANON) > 0;
    return mn_reclaim_growth(then, now, MN_COUNTER_SWAPPED_OUT) > 0 ||
           would_take_anonymous(then, now, zones);
}
