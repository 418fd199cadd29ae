/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include "core/change.h"
#include "script/format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Longer no length is: a varint. */
#define LENGTH_BYTES_MAX 10

/* With it each frame of Zstandard begins. */
static const guint8 magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

void mn_frames_init(MnFrames *self, int fd) {
    *self = (MnFrames){ .fd = fd, .decompressor = ZSTD_createDCtx(), .plain = g_byte_array_new() };
    ZSTD_DCtx_setParameter(self->decompressor, ZSTD_d_windowLogMax, MN_FORMAT_WINDOW_LOG);
}

void mn_frames_clear(MnFrames *self) {
    g_byte_array_free(self->plain, TRUE);
    ZSTD_freeDCtx(self->decompressor);
    close(self->fd);
}

/* --- the file --- */

static off_t position(const MnFrames *self) {
    return self->input_at - (off_t)(self->in.size - self->in.pos);
}

static void seek(MnFrames *self, off_t at) {
    self->input_at = at;
    self->in = (ZSTD_inBuffer){ 0 };
}

/* Ends the input where another frame may begin: what is decompressed together with what cannot be is lost. */
static void end_before_magic(MnFrames *self) {
    const guint8 *next = self->in.size > 1 ? memmem(self->input + 1, self->in.size - 1, magic, sizeof magic) : NULL;

    if (next)
        self->in.size = (gsize)(next - self->input);
    else if (self->in.size == sizeof self->input)
        self->in.size -= sizeof magic - 1; /* it may be there in part */
}

/* 1, or 0 at the end of the file; -errno. */
static int fill_input(MnFrames *self) {
    gssize n;

    if (self->in.pos < self->in.size)
        return 1;
    do
        n = pread(self->fd, self->input, sizeof self->input, self->input_at);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    self->in = (ZSTD_inBuffer){ self->input, (gsize)n, 0 };
    end_before_magic(self);
    self->input_at += (off_t)self->in.size;
    return 1;
}

static void leave_frame(MnFrames *self) {
    ZSTD_DCtx_reset(self->decompressor, ZSTD_reset_session_only);
    g_byte_array_set_size(self->plain, 0);
    self->block_end = 0;
    self->in_frame = FALSE;
    self->has_more = FALSE;
    self->n_blocks = 0;
}

gboolean mn_frames_skip(MnFrames *self) {
    guint n_found = 0;

    leave_frame(self);
    seek(self, self->frame_at + 1);
    while (fill_input(self) > 0) {
        guint8 byte = self->input[self->in.pos++];

        n_found = byte == magic[n_found] ? n_found + 1 : byte == magic[0] ? 1 : 0;
        if (n_found == sizeof magic) {
            seek(self, position(self) - (off_t)sizeof magic);
            return TRUE;
        }
    }
    return FALSE;
}

/* Decompresses some more. 1, or 0 at the end of the file; -EBADMSG, -errno. */
static int read_some(MnFrames *self) {
    guint before = self->plain->len;
    ZSTD_outBuffer out = { NULL, MN_FRAMES_READ_BYTES, 0 };
    gsize left;
    int r;

    r = self->has_more ? 1 : fill_input(self);
    if (r <= 0)
        return r;
    if (!self->in_frame) {
        self->frame_at = position(self);
        self->in_frame = TRUE;
    }
    g_byte_array_set_size(self->plain, before + MN_FRAMES_READ_BYTES);
    out.dst = self->plain->data + before;
    left = ZSTD_decompressStream(self->decompressor, &out, &self->in);
    g_byte_array_set_size(self->plain, before + (guint)(ZSTD_isError(left) ? 0 : out.pos));
    if (ZSTD_isError(left))
        return -EBADMSG;
    self->has_more = left > 0 && out.pos == out.size;
    if (left == 0)
        self->in_frame = FALSE;
    return 1;
}

/* --- blocks --- */

/* Whether there is a whole block; -EBADMSG when it can be none. */
static int find_block(MnFrames *self) {
    const guint8 *at = self->plain->data, *end = at + self->plain->len;
    guint64 len;

    if (at == end || mn_varint_take(&at, end, &len) < 0)
        return self->plain->len >= LENGTH_BYTES_MAX ? -EBADMSG : 0;
    if (len > MN_FORMAT_BLOCK_BYTES_MAX)
        return -EBADMSG;
    if ((guint64)(end - at) < len)
        return 0;
    self->block_at = (gsize)(at - self->plain->data);
    self->block_end = self->block_at + (gsize)len;
    return 1;
}

int mn_frames_read(MnFrames *self) {
    int r;

    while ((r = find_block(self)) == 0) {
        if (!self->in_frame && self->plain->len > 0) /* the frame has ended within it */
            return -EBADMSG;
        if (!self->in_frame)
            self->n_blocks = 0;
        r = read_some(self);
        if (r <= 0)
            break;
    }
    return r == 0 && (self->in_frame || self->plain->len > 0) ? -EBADMSG : r;
}

gboolean mn_frames_is_head(const MnFrames *self) {
    return self->n_blocks == 0;
}

const guint8 *mn_frames_block_start(const MnFrames *self) {
    return self->plain->data + self->block_at;
}

const guint8 *mn_frames_block_end(const MnFrames *self) {
    return self->plain->data + self->block_end;
}

void mn_frames_drop(MnFrames *self) {
    g_byte_array_remove_range(self->plain, 0, (guint)self->block_end);
    self->block_end = 0;
    self->n_blocks++;
}
