/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"

/* The texts of a memory control group -> MnSample, so that every meter means for the group what it
 * means for the machine: total is what the group can get at most, used is what of it cannot be
 * reclaimed.
 *
 * The kernel counts no locked pages per group. MN_COUNTER_MLOCKED is here the page cache that reclaim
 * cannot have: what is of the file counter neither shared memory nor on a list of evictable pages. */

/* The two interfaces, see cgroup-v1/memory.rst and cgroup-v2.rst of the kernel. */
typedef enum MnCgroupVersion {
    MN_CGROUP_V1 = 1,
    MN_CGROUP_V2 = 2,
} MnCgroupVersion;

/* The limits of a group. Who exceeds "high" is slowed down until he does nothing but reclaim, so he never comes to the
 * maximum: where "high" is lower it is the limit that counts. */
typedef enum MnCgroupLimit {
    MN_CGROUP_MAX,
    MN_CGROUP_HIGH,
    MN_CGROUP_SWAP_MAX, /* v1: of memory and swap together */
    MN_CGROUP_SWAP_HIGH,
    MN_CGROUP_N_LIMITS
} MnCgroupLimit;

/* The names of the files that each version has. */
typedef struct MnCgroupNames {
    const char *usage;
    const char *stat;
    const char *swap_usage;                 /* v1: of memory and swap together */
    const char *limits[MN_CGROUP_N_LIMITS]; /* NULL: there is no such limit */
} MnCgroupNames;

/* Where the kernel tells how long tasks have waited; not there with v1. */
#define MN_CGROUP_PRESSURE "memory.pressure"

const MnCgroupNames *mn_cgroup_names(MnCgroupVersion version);

/* What a file of one number says for no limit. */
#define MN_CGROUP_UNLIMITED G_MAXUINT64

/* Reads "1048576\n" or "max\n". -EBADMSG for anything else. */
int mn_cgroup_parse_number(const char *text, gsize len, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;

/* What memory.stat says about a group and all below it, in bytes. */
typedef struct MnCgroupStat {
    guint64 anon;
    guint64 file;
    guint64 shmem;
    guint64 dirty;
    guint64 active_anon;
    guint64 active_file;
    guint64 inactive_file;
    guint64 slab_reclaimable; /* v2 */
    guint64 swap_cached;      /* since 5.12 */
} MnCgroupStat;

/* Reads the text of memory.stat. Unknown keys are skipped. -EBADMSG, with nothing written: no final
 * newline (a cut text), one of the keys that every kernel has missing, one of ours twice, without a
 * number, or with one over 64 bits. */
int mn_cgroup_parse_stat(MnCgroupVersion version, const char *text, gsize len, MnCgroupStat *ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* One moment of a group, in bytes. */
typedef struct MnCgroupState {
    MnCgroupVersion version;
    guint64 limit; /* the smallest up the hierarchy, "high" or not */
    guint64 usage;
    gboolean counts_swap;
    guint64 swap_limit; /* as the files of the version count it */
    guint64 swap_usage;
    guint64 machine_bytes; /* no group gets more than there is */
    guint64 machine_swap_bytes;
    const MnCgroupStat *stat; /* NULL: not read */
} MnCgroupState;

/* Computes the counters of a group. What is used of the machine is at most all of it, though it may be more than the
 * limit, and 0 where the kernel tells less than that. Counters that need memory.stat stay as they are when it was not
 * read; those that the version does not have are not in `known`. */
void mn_cgroup_to_sample(const MnCgroupState *self, guint page_bytes, MnSample *ret);

/* Which meters (MN_METER_BIT()s) can be computed from what is known of a group. Without a counter of
 * reclaimable slab pages, as in v1, `used` counts them as used. */
guint mn_cgroup_meters_offered(guint64 known);

/* Whether one of the counters needs memory.stat. */
gboolean mn_cgroup_needs_stat(guint64 counters);
