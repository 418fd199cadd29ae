/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The kernel texts a sample is made of, as bits. */
typedef enum MnSource {
    MN_SOURCE_VMSTAT = 1 << 0,
    MN_SOURCE_MEMINFO = 1 << 1,
    MN_SOURCE_ZONEINFO = 1 << 2,
    MN_SOURCE_PRESSURE = 1 << 3, /* pressure/memory; not on every kernel */
    MN_SOURCE_MEMCG = 1 << 4,    /* what a memory cgroup uses, see probe/memcg.h */
    MN_SOURCE_ARC = 1 << 5,      /* the cache of ZFS, where there is one */
    MN_SOURCE_RECLAIM = 1 << 6,  /* how much was scanned and reclaimed in the cgroup, or in the whole system */
    MN_SOURCE_OOMS = 1 << 7,     /* how often memory ran out there */
} MnSource;

/* The counters we take from them; pages unless said otherwise. */
typedef enum MnCounter {
    MN_COUNTER_VM_FREE, /* nr_free_pages: used only where meminfo has no MemFree */
    MN_COUNTER_MLOCKED,
    MN_COUNTER_ACTIVE_ANON,
    MN_COUNTER_ACTIVE_FILE,
    MN_COUNTER_SLAB_RECLAIMABLE,
    MN_COUNTER_ANON,
    MN_COUNTER_FILE, /* page cache with buffers, tmpfs and swap cache */
    MN_COUNTER_DIRTY,
    MN_COUNTER_SHMEM,
    MN_COUNTER_MAPPED,       /* the first of those that only tell about reclaim */
    MN_COUNTER_SWAPPED_OUT,  /* this and the following: since boot */
    MN_COUNTER_SCANNED_ANON, /* by reclaim, to see whether they can go; not before 5.8 */
    MN_COUNTER_SCANNED_KSWAPD,
    MN_COUNTER_SCANNED_DIRECT,
    MN_COUNTER_RECLAIMED_KSWAPD,
    MN_COUNTER_RECLAIMED_DIRECT,
    MN_COUNTER_RECLAIMED, /* by both: before 3.5 */
    MN_COUNTER_KSWAPD_RUNS,
    MN_COUNTER_DIRECT_RUNS, /* allocations that had to reclaim for themselves */
    MN_COUNTER_MEM_TOTAL,   /* the first that comes from meminfo */
    MN_COUNTER_MEM_FREE,
    MN_COUNTER_MEM_AVAILABLE,
    MN_COUNTER_SWAP_TOTAL,
    MN_COUNTER_SWAP_FREE,
    MN_COUNTER_UNEVICTABLE,  /* of meminfo, which stands in for MLOCKED where that is another machine's */
    MN_COUNTER_STALLED_US,   /* from pressure/memory: everybody waited for memory, since boot */
    MN_COUNTER_ARC,          /* what ZFS would give back of its cache */
    MN_COUNTER_GROUP_USAGE,  /* the first that comes from a memory cgroup */
    MN_COUNTER_GROUP_MEMSW,  /* with swap */
    MN_COUNTER_GROUP_EXCESS, /* reclaimable memory by which it exceeds MEM_TOTAL */
    MN_N_COUNTERS
} MnCounter;

#define MN_COUNTER_BIT(counter) (G_GUINT64_CONSTANT(1) << (counter))

/* Which source a counter comes from. */
#define MN_COUNTERS_VMSTAT (MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL) - 1)
#define MN_COUNTERS_MEMINFO ((MN_COUNTER_BIT(MN_COUNTER_UNEVICTABLE) - 1) & ~MN_COUNTERS_VMSTAT)

/* Those of vmstat that meminfo has as well, and what may stand in for one. */
#define MN_COUNTERS_BOTH                                                                                               \
    (MN_COUNTER_BIT(MN_COUNTER_MLOCKED) | MN_COUNTER_BIT(MN_COUNTER_ACTIVE_ANON) |                                     \
     MN_COUNTER_BIT(MN_COUNTER_ACTIVE_FILE) | MN_COUNTER_BIT(MN_COUNTER_SLAB_RECLAIMABLE) |                            \
     MN_COUNTER_BIT(MN_COUNTER_ANON) | MN_COUNTER_BIT(MN_COUNTER_FILE) | MN_COUNTER_BIT(MN_COUNTER_DIRTY) |            \
     MN_COUNTER_BIT(MN_COUNTER_SHMEM) | MN_COUNTER_BIT(MN_COUNTER_UNEVICTABLE))

/* The counters of vmstat that stand far down in it and that no meter needs. */
#define MN_COUNTERS_RECLAIM (MN_COUNTERS_VMSTAT & ~(MN_COUNTER_BIT(MN_COUNTER_MAPPED) - 1))

/* Amounts that are parts of MEM_TOTAL; SWAP_FREE is one of SWAP_TOTAL. */
#define MN_COUNTERS_OF_MEMORY                                                                                          \
    ((MN_COUNTERS_VMSTAT & ~MN_COUNTERS_RECLAIM) | MN_COUNTER_BIT(MN_COUNTER_MEM_FREE) |                               \
     MN_COUNTER_BIT(MN_COUNTER_MEM_AVAILABLE) | MN_COUNTER_BIT(MN_COUNTER_UNEVICTABLE))

/* More pages than any machine has: 2^63 bytes in the largest pages, 64 KiB. */
#define MN_PAGES_MOST (G_GUINT64_CONSTANT(1) << 47)

/* The counters of one moment. A counter whose bit is not in `known` does not exist on this kernel
 * (or its source was not read) and is 0. */
typedef struct MnSample {
    guint64 known;
    guint64 counters[MN_N_COUNTERS];
} MnSample;

/* Cuts each part that exceeds its whole, where both are known, down to that; to 0 where it must have gone below. */
void mn_sample_bound_parts(MnSample *self);

/* Replaces these counters (MN_COUNTER_BIT()s) by those of another sample. */
void mn_sample_take(MnSample *self, const MnSample *other, guint64 counters);

/* Reads the text of /proc/vmstat into *ret, replacing the counters that come from vmstat and
 * leaving the others. Unknown keys are skipped. *ret_span is how many bytes of the text hold all
 * the counters of `needed` (MN_COUNTER_BIT()s; those of other sources do not matter), so that the
 * next text need not be read further. The MN_COUNTERS_RECLAIM are only looked for, and otherwise
 * stay as they are, when `needed` has one of them or nothing of vmstat. -EBADMSG, with nothing
 * written: no final newline (a cut text), a counter of `needed` that is not there, a key of ours
 * twice, without a number, or with one over 64 bits. */
int mn_sample_parse_vmstat(const char *text, gsize len, guint64 needed, MnSample *ret, gsize *ret_span)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for /proc/meminfo, whose kB become pages of page_kib KiB. The MN_COUNTERS_BOTH are only
 * looked for, and otherwise stay as they are, when `needed` has one of them; that such a one is not
 * there is no error. */
int mn_sample_parse_meminfo(const char *text, gsize len, guint64 needed, guint page_kib, MnSample *ret, gsize *ret_span)
    G_GNUC_WARN_UNUSED_RESULT;
