/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>
#include <zstd.h>

#define MN_FRAMES_READ_BYTES 65536

/* The blocks of the frames of a recording: script/format.h. */
typedef struct MnFrames {
    int fd;
    guint8 input[MN_FRAMES_READ_BYTES];
    ZSTD_inBuffer in;
    off_t input_at;    /* where what is in `input` ends in the file */
    off_t frame_at;    /* where the present frame begins */
    gboolean in_frame; /* it has begun, and has not ended */
    gboolean has_more; /* it can be decompressed without more of the file */
    guint n_blocks;    /* that were dropped of it */
    ZSTD_DCtx *decompressor;
    GByteArray *plain; /* what was decompressed, from the beginning of the present block on */
    gsize block_at;    /* in that, where it begins behind its length; and where it ends */
    gsize block_end;   /* 0: it is not whole yet */
} MnFrames;

/* `fd` is taken over. */
void mn_frames_init(MnFrames *self, int fd);
void mn_frames_clear(MnFrames *self);

/* Makes the present block whole. 1, or 0 at the end; -EBADMSG when the frame is damaged or cut, -errno. */
int mn_frames_read(MnFrames *self) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it is the first of its frame. */
gboolean mn_frames_is_head(const MnFrames *self);

/* Its bytes. */
const guint8 *mn_frames_block_start(const MnFrames *self);
const guint8 *mn_frames_block_end(const MnFrames *self);

/* Goes on to the next. */
void mn_frames_drop(MnFrames *self);

/* Leaves the present frame for the next that begins in the file behind its beginning. FALSE when there is none. */
gboolean mn_frames_skip(MnFrames *self);
