/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From sample to sample: has the kernel begun to reclaim anonymous memory?
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
 *    - pgscan_kswapd or pgscan_direct grew, and 80 % of what reclaim could look at is stuck: of
 *      anonymous memory, page cache and reclaimable slab that which is anonymous, or mapped, or shared
 *      memory. (The original left out shared memory, which without swap is as stuck as anonymous
 *      memory, and took the per cent of all pages, which a small machine, full of its kernel, does not
 *      reach.)
 *    - Or 60 % of what was scanned could not be reclaimed: vmpressure's measure (3.10), its level
 *      "medium" and its 512 pages over which it is taken, in the place of distress, which came from a
 *      priority that no file shows.
 *    - Or pageoutrun and allocstall, which count the beginnings of reclaim, grew and there was nothing
 *      to scan. One run may just have begun, so it takes several.
 *
 * What this misses: an anonymous page that is moved but never looked at; which zone it was in
 * (kernels from 4.8 reclaim by node, so each zone that is short of free pages counts); which of two
 * samples it was nearer to. What it adds: pgscan_anon also counts reclaim within a cgroup at its own
 * limit; that the zone must be short of free pages keeps most of that out. */
#include "reclaim.h"

#define SWAPPINESS 60
#define VAIN_PERCENT 60 /* vmpressure's "medium" */
#define WINDOW_PAGES 512
#define VAIN_RUNS 4

static gboolean has(const MnSample *sample, MnCounter counter) {
    return (sample->known & MN_COUNTER_BIT(counter)) != 0;
}

guint64 mn_reclaim_growth(const MnSample *then, const MnSample *now, MnCounter counter) {
    if (!has(then, counter) || !has(now, counter))
        return 0;
    return now->counters[counter] > then->counters[counter] ? now->counters[counter] - then->counters[counter] : 0;
}

/* In floating point, so that no sum overflows. */
static gdouble mapped_percent(const MnSample *sample) {
    const guint64 *counters = sample->counters;
    gdouble anonymous = counters[MN_COUNTER_ANON];
    gdouble all = anonymous + counters[MN_COUNTER_FILE] + counters[MN_COUNTER_SLAB_RECLAIMABLE];
    gdouble stuck = anonymous + MAX(counters[MN_COUNTER_MAPPED], counters[MN_COUNTER_SHMEM]);

    return 100 * stuck / MAX(all, 1);
}

static gdouble scanned_pages(const MnSample *then, const MnSample *now) {
    return (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_SCANNED_KSWAPD) +
           (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_SCANNED_DIRECT);
}

static gdouble reclaimed_pages(const MnSample *then, const MnSample *now) {
    return (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED_KSWAPD) +
           (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED_DIRECT) +
           (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_RECLAIMED);
}

static gdouble runs(const MnSample *then, const MnSample *now) {
    return (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_KSWAPD_RUNS) +
           (gdouble)mn_reclaim_growth(then, now, MN_COUNTER_DIRECT_RUNS);
}

static gboolean finds_nothing(const MnReclaim *self, const MnSample *now) {
    return scanned_pages(&self->last, now) == 0 && runs(&self->last, now) >= VAIN_RUNS;
}

/* Whether most of what was scanned could not be reclaimed, at the end of each window. */
static gboolean is_vain(MnReclaim *self, const MnSample *now) {
    gdouble scanned = scanned_pages(&self->window_start, now);
    gdouble reclaimed = reclaimed_pages(&self->window_start, now);

    if (scanned < WINDOW_PAGES)
        return FALSE;
    self->window_start = *now;
    return 100 * (scanned - reclaimed) >= VAIN_PERCENT * scanned;
}

static gboolean would_take_anonymous(MnReclaim *self, const MnSample *now) {
    gboolean vain = is_vain(self, now);

    return vain || finds_nothing(self, now) ||
           (scanned_pages(&self->last, now) > 0 && mapped_percent(now) / 2 + SWAPPINESS >= 100);
}

static gboolean takes_anonymous(MnReclaim *self, const MnSample *now) {
    gboolean has_room = now->counters[MN_COUNTER_SWAP_FREE] > 0;
    gboolean would = would_take_anonymous(self, now);

    if (has_room && has(now, MN_COUNTER_SCANNED_ANON))
        return mn_reclaim_growth(&self->last, now, MN_COUNTER_SCANNED_ANON) > 0;
    return would || mn_reclaim_growth(&self->last, now, MN_COUNTER_SWAPPED_OUT) > 0;
}

void mn_reclaim_advance(MnReclaim *self, const MnSample *sample) {
    if (!self->has_last) {
        self->has_last = TRUE;
        self->window_start = *sample;
    } else {
        self->is_on = scanned_pages(&self->last, sample) > 0 || runs(&self->last, sample) > 0;
        self->takes_anonymous = takes_anonymous(self, sample);
    }
    self->last = *sample;
}
