/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/adjustment.h"

/* The record of adjusted processes that outlives us, so that the next start at the same mount point
 * can put back what a killed daemon left. It is replaced whole or not at all. */
typedef struct MnStateFile MnStateFile;

/* memnotifyfs-oom.NAME in /run for root, in $XDG_RUNTIME_DIR for others, named after the mount point
 * (not in a directory of ours, since that is where people like to mount). Without such a directory
 * nothing is kept. Touches no file yet. */
MnStateFile *mn_state_file_new(const char *mountpoint);
void mn_state_file_free(MnStateFile *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnStateFile, mn_state_file_free)

/* Its path, or NULL when nothing is kept. */
const char *mn_state_file_get_path(const MnStateFile *self);

/* What was recorded on this boot by a daemon that has ended: a new array of MnAdjustment. -ENOENT:
 * nothing. -EBUSY: the daemon that has recorded it is alive. -EPERM: it is not our own file.
 * -EBADMSG: it is damaged. */
int mn_state_file_load(MnStateFile *self, GArray **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Finds out who we are, in the process that will serve, and whether the file is a living other daemon's: later that
 * could make us wait, since anybody may lock our directory of /proc. */
void mn_state_file_begin(MnStateFile *self);

/* Records these (MnAdjustment); none removes the file. -EBUSY: it was another daemon's when we began. */
int mn_state_file_save(MnStateFile *self, const GArray *adjustments) G_GNUC_WARN_UNUSED_RESULT;

/* Removes it, whatever is in it. */
void mn_state_file_remove(MnStateFile *self);
