/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Makes a recording of texts: bytes as in script/format.h. */
typedef struct MnRecorder MnRecorder;

MnRecorder *mn_recorder_new(guint page_bytes);
void mn_recorder_free(MnRecorder *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRecorder, mn_recorder_free)

/* A moment begins, at a time of CLOCK_MONOTONIC that is not before the last one, and a date. */
void mn_recorder_begin(MnRecorder *self, gint64 monotonic_us, gint64 date_us);

/* What a text says in it; NULL for no more. Those that are not put stay as they were. No more than MN_SCRIPT_TEXTS_MAX,
 * of no more than MN_SCRIPT_TEXT_BYTES_MAX: what is beyond is left out. */
void mn_recorder_put(MnRecorder *self, const char *name, const char *text, gsize len);

/* It is complete. */
void mn_recorder_end(MnRecorder *self);

/* How much what was recorded since the frame began takes, not compressed. */
gsize mn_recorder_get_frame_bytes(const MnRecorder *self);

/* What comes from now on can be understood without what was before. */
void mn_recorder_end_frame(MnRecorder *self);

/* Brings everything so far to the output, so that no complete moment is missing. Costs bytes. */
void mn_recorder_flush(MnRecorder *self);

/* What was compressed since the output was taken last. */
const guint8 *mn_recorder_get_output(const MnRecorder *self, gsize *ret_len);
void mn_recorder_take_output(MnRecorder *self);
