/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"

/* What the kernel says of a machine's memory, and of a control group's, word by word: the texts that a script has, see
 * script/script.h. */
typedef struct MnTranscript MnTranscript;

/* Of the machine below `proc_directory`. -errno when that cannot be opened. */
int mn_transcript_new(const char *proc_directory, MnTranscript **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_transcript_free(MnTranscript *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnTranscript, mn_transcript_free)

/* Also of the group of that directory, or of our own for NULL, and of those above it that can be seen. Errors are those
 * of mn_cgroup_dir_init(). */
int mn_transcript_add_group(MnTranscript *self, const char *directory) G_GNUC_WARN_UNUSED_RESULT;

/* Calls each() for every text that there is, or has been: NULL for one that is not there any more, and for none that
 * cannot be read now. Of zoneinfo the pages of single CPUs are left out. A group that was removed is looked for again.
 * Allocates only when a text is longer than any before. */
void mn_transcript_read(MnTranscript *self, void (*each)(const char *name, const char *text, gsize len, gpointer data),
                        gpointer data);

/* Of meminfo alone: how much memory there is, is available, and free, in KiB; for what costs little. -errno, -EBADMSG. */
typedef struct MnGlance {
    guint64 total;
    guint64 available; /* 0: the kernel does not say */
    guint64 free;
} MnGlance;

int mn_transcript_glance(MnTranscript *self, MnGlance *ret) G_GNUC_WARN_UNUSED_RESULT;
