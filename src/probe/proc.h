/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"
#include "probe/replay.h"

/* Where the texts of the machine are that we run on. */
#define MN_PROC_DIRECTORY "/proc"

/* The kernel's texts below one directory: /proc, or a recorded or edited copy of it. */
typedef struct MnProc MnProc;

/* -errno when `directory` cannot be opened. */
int mn_proc_new(const char *directory, MnProc **ret) G_GNUC_WARN_UNUSED_RESULT;
/* What a replay has in their place. */
MnProc *mn_proc_new_replayed(MnReplay *replay);

void mn_proc_free(MnProc *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnProc, mn_proc_free)

/* Reads vmstat, meminfo and the ARC of ZFS, if there was one when this was made, where they are among `sources`
 * (MN_SOURCE_… bits), into *ret; the
 * counters of the others stay as they are. All counters of `needed` that come from these texts are
 * in the result, others of theirs may be missing or old: of a live text only as much is read as holds
 * the needed ones, and none of vmstat when meminfo, read as well, has all of them. A live meminfo that another filesystem
 * serves is about other memory than vmstat: then the counters of amounts are those of meminfo, or unknown, as they are where
 * there is no vmstat. -EBADMSG when a text is damaged or lacks a needed counter; -EFBIG when it is
 * absurdly long; -errno when it cannot be read. Then *ret is untouched and *ret_name says which
 * file it was. Allocates only when a text has grown beyond any before. */
int mn_proc_sample(MnProc *self, guint sources, guint64 needed, MnSample *ret, const char **ret_name)
    G_GNUC_WARN_UNUSED_RESULT;

/* Reads the text of one source whole. *ret_text belongs to the proc and holds until the next
 * call. Errors as above. */
int mn_proc_read(MnProc *self, MnSource source, const char **ret_text, gsize *ret_len) G_GNUC_WARN_UNUSED_RESULT;

/* A descriptor that becomes readable when a file below the directory was replaced or rewritten, or
 * -1: the real /proc does not tell, and another has to be asked for again. Read it empty with mn_proc_drain_changes(). */
int mn_proc_get_changes_fd(MnProc *self);
void mn_proc_drain_changes(MnProc *self);

/* Whether there is no vmstat, so that nothing is known of what the kernel does. */
gboolean mn_proc_lacks_vmstat(const MnProc *self);

/* Whether the directory is the kernel's own. */
gboolean mn_proc_is_live(const MnProc *self);
int mn_proc_get_directory_fd(const MnProc *self);
