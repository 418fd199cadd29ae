/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cgroup.h"
#include "probe/folder.h"

/* The directory of a memory control group, v1 or v2. */
typedef struct MnCgroupDir {
    MnFolder folder;
    MnCgroupVersion version;
    const MnCgroupNames *names;
} MnCgroupDir;

/* Opens a directory, for the first time or after it was removed and made anew. *ret_path, to be freed, is its absolute
 * path. -errno when it cannot be opened; -ENOENT also when it is not one of a memory controller, as the root of v2 and
 * what is no cgroup at all.
 *
 * NULL is our own group, which may be another each time. Where memory is not controlled for a group it has no files,
 * and its memory is counted above it: then the nearest one above. Where it is mounted, but not under a name that we are
 * told, it is searched for if that may take long, see mn_cgroup_search_own(). -ENOENT when no group controls our memory;
 * -ENXIO when one does, or may, that cannot be seen. */
int mn_cgroup_dir_init(MnCgroupDir *self, const char *path, gboolean may_search, char **ret_path)
    G_GNUC_WARN_UNUSED_RESULT;

/* The group that a replay shows, with `level` those above it. -ENOENT where it has none. */
int mn_cgroup_dir_init_replayed(MnCgroupDir *self, MnReplay *replay, int level) G_GNUC_WARN_UNUSED_RESULT;

/* The group above. -ENOENT where the way up ends: above it is another filesystem, or nothing; else -errno. */
int mn_cgroup_dir_init_parent(MnCgroupDir *self, const MnCgroupDir *below) G_GNUC_WARN_UNUSED_RESULT;

void mn_cgroup_dir_clear(MnCgroupDir *self); /* a second time has no effect */

/* Opens a file of the group, the flags being those of open(2). The descriptor, or -errno; -ENODEV when the
 * directory is closed. */
int mn_cgroup_dir_open(const MnCgroupDir *self, const char *name, int flags) G_GNUC_WARN_UNUSED_RESULT;

/* Opens a file that some groups do not have; *ret_fd is -1 then. -errno only when it may be there and be had later. */
int mn_cgroup_dir_open_optional(const MnCgroupDir *self, const char *name, int flags, int *ret_fd)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the group has been removed since. */
gboolean mn_cgroup_dir_is_removed(const MnCgroupDir *self);

/* Reads an open file of one number from its beginning; -errno, or an error of mn_cgroup_parse_number().
 * Allocates nothing. */
int mn_cgroup_read_number(int fd, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
