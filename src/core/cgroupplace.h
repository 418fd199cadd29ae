/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cgroup.h"

/* Finds the group that controls the memory of a process in the text of its /proc/PID/cgroup: its path, to be freed, as seen
 * from the root of our cgroup namespace. NULL when there is none. */
char *mn_cgroup_find_group(const char *groups, MnCgroupVersion *ret_version);

/* Whether the process of that text is in the group `path`, or in one below it. */
gboolean mn_cgroup_is_within(const char *groups, const char *path);

/* Where such groups are mounted, and one of them there. */
typedef struct MnCgroupPlace {
    char *mountpoint;
    char *directory;   /* the group's; NULL: it is not below here, or its name from here cannot be known */
    gboolean is_whole; /* no group between the root of the namespace and this one is hidden */
} MnCgroupPlace;

void mn_cgroup_place_clear(MnCgroupPlace *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnCgroupPlace, mn_cgroup_place_clear)

/* Puts the next place of *mounts, the text of /proc/PID/mountinfo, into *self, in the place of the one before, and moves
 * *mounts behind it. FALSE, with *self cleared, at the end. */
gboolean mn_cgroup_place_next(MnCgroupPlace *self, const char *group, MnCgroupVersion version, const char **mounts);
