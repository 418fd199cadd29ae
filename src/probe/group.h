/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"
#include "core/stall.h"
#include "probe/replay.h"

/* A memory control group whose memory the meters show, in the place of the machine's. */
typedef struct MnGroup MnGroup;

/* The group of `directory`, whatever limits are set above it. -errno when it cannot be opened; -ENOENT
 * also when it is no directory of a memory controller. */
int mn_group_new(const char *directory, MnGroup **ret) G_GNUC_WARN_UNUSED_RESULT;

/* The group that bounds this process: of its own group and those above it that can be seen, the one
 * with the smallest limit, which may be another one later. -ENOENT when there is none, -ENXIO when it cannot be seen. */
int mn_group_new_own(MnGroup **ret) G_GNUC_WARN_UNUSED_RESULT;

/* The group that a replay shows; -ENOENT when it has none. */
int mn_group_new_replayed(MnReplay *replay, MnGroup **ret) G_GNUC_WARN_UNUSED_RESULT;

void mn_group_free(MnGroup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnGroup, mn_group_free)

/* Whether it has a limit, its own or one above it, that is below the memory of the machine, or one that cannot be read. */
gboolean mn_group_is_limited(MnGroup *self);

/* What a sample has to be made of for a meter: MN_SOURCE_VMSTAT stands for memory.stat, which costs
 * the kernel a walk through all groups below, MN_SOURCE_MEMINFO for the limits and what is used. */
guint mn_group_meter_sources(MnMeterId meter);

/* Reads these into *ret. -EBADMSG when a text is damaged or lacks a counter that all kernels have;
 * -ENODEV when the group has been removed and there is none in its place that can be opened; -errno when a file cannot
 * be read. Then *ret is untouched and *ret_name says which file it was. Allocates nothing, unless it was removed. */
int mn_group_sample(MnGroup *self, guint sources, MnSample *ret, const char **ret_name) G_GNUC_WARN_UNUSED_RESULT;

/* How long tasks of the group have waited for memory. -ENOENT where the kernel does not tell; -errno when it cannot be
 * read, and -EBADMSG when it is damaged: *ret is untouched then. */
int mn_group_read_stalls(const MnGroup *self, MnStalls *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Which group of those on the way up it is whose memory is shown now; 0 for the lowest. */
guint mn_group_get_level(const MnGroup *self);

/* Where it is, or was; NULL in a replay. */
const char *mn_group_get_path(const MnGroup *self);

/* The group's directory, for its memory.pressure; -1 while it is removed. */
int mn_group_get_directory_fd(const MnGroup *self);
