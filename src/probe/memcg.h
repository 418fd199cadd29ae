/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cgroup.h"
#include "core/vmpressure.h"
#include "probe/replay.h"

/* A memory cgroup: a directory of the kernel's, with the files of the notification API. */
typedef struct MnMemcg MnMemcg;

/* The group of that directory. -ENOENT when it is no cgroup, or one without a memory controller
 * of its own (as the root of v2), else -errno. */
int mn_memcg_new(const char *directory, MnMemcg **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Our own group; in v2 the nearest above us that has a memory controller. -ENOENT if there is
 * none, -ENXIO if it cannot be seen. */
int mn_memcg_new_own(MnMemcg **ret) G_GNUC_WARN_UNUSED_RESULT;

/* The group that a replay shows; -ENOENT when it has none. */
int mn_memcg_new_replayed(MnReplay *replay, MnMemcg **ret) G_GNUC_WARN_UNUSED_RESULT;

void mn_memcg_free(MnMemcg *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnMemcg, mn_memcg_free)

MnCgroupVersion mn_memcg_get_version(const MnMemcg *self);
const char *mn_memcg_get_directory(const MnMemcg *self);
gboolean mn_memcg_counts_swap(const MnMemcg *self);

/* Puts usage and, where it is counted, usage with swap into *ret. -errno, and *ret untouched:
 * -ENODEV when the group has been removed. */
int mn_memcg_sample(MnMemcg *self, MnSample *ret);

/* Reads a file of the group into *ret, to be freed. */
int mn_memcg_read(const MnMemcg *self, const char *name, char **ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_memcg_write(const MnMemcg *self, const char *name, const char *text, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* How often the group ran out of memory (v2; -EOPNOTSUPP where the kernel does not say), and how many of its
 * processes the OOM killer has killed, in the group itself and not below it (before 5.2: below it, too). */
int mn_memcg_read_ooms(const MnMemcg *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_memcg_read_oom_kills(const MnMemcg *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The file that the first of these comes from: when it changes it reports POLLPRI, once it was read. */
int mn_memcg_open_events(const MnMemcg *self, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;

/* What was scanned and reclaimed of the group; -EOPNOTSUPP for v1, whose memory.stat says nothing of it. */
int mn_memcg_read_reclaim(const MnMemcg *self, MnVmpressureCounters *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The kernel itself takes registrations for this group. */
gboolean mn_memcg_takes_registrations(const MnMemcg *self);

/* Registers an eventfd of ours with the kernel, for the file `name` of the group. It stays
 * registered until the last reference to the eventfd is gone, ours or another's. Errors are the
 * kernel's. */
int mn_memcg_register(MnMemcg *self, int eventfd, const char *name, const char *argument, gsize len)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the group has been removed. If so everything of it is closed, which it would otherwise
 * stay in memory for, and the functions above give -ENODEV. */
gboolean mn_memcg_check_removed(MnMemcg *self);

/* Opens the group that is in the place of one that was found removed. 0 also when none was; errors are those of
 * mn_memcg_new(). */
int mn_memcg_reopen(MnMemcg *self) G_GNUC_WARN_UNUSED_RESULT;
