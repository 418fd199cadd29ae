/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts -> changes -> Zstandard. Allocates only while texts and output grow beyond any before. */
#include "recorder.h"

#include "core/change.h"
#include "script/format.h"
#include "script/script.h"

#include <string.h>
#include <zstd.h>

/* 3 takes as much again of the time that 1 takes, and a tenth less room. */
#define COMPRESSION_LEVEL 3

/* A clock that is corrected gently was not set. */
#define DATE_STEP_US (G_TIME_SPAN_SECOND / 2)

/* What is known of a text since the frame began. */
typedef struct Known {
    char *name;
    MnForm form;
    gboolean is_there;
    gboolean is_in_frame; /* its name is; its number then is that in the frame */
    guint number;
} Known;

struct MnRecorder {
    guint page_bytes;
    GPtrArray *known;
    guint n_in_frame; /* names */
    gboolean has_frame;
    gsize frame_bytes;
    gint64 monotonic_us; /* of the last moment */
    gint64 date_us;      /* that it had, or was to be expected */
    gboolean is_first;   /* moment of the frame */
    GByteArray *moment;
    GByteArray *change;
    GByteArray *output;
    ZSTD_CCtx *compressor;
};

static void known_free(Known *known) {
    g_free(known->name);
    mn_form_clear(&known->form);
    g_free(known);
}

MnRecorder *mn_recorder_new(guint page_bytes) {
    MnRecorder *self = g_new0(MnRecorder, 1);

    self->page_bytes = page_bytes;
    self->known = g_ptr_array_new();
    self->moment = g_byte_array_new();
    self->change = g_byte_array_new();
    self->output = g_byte_array_new();
    self->compressor = ZSTD_createCCtx();
    if (!self->compressor)
        g_error("out of memory");
    ZSTD_CCtx_setParameter(self->compressor, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
    ZSTD_CCtx_setParameter(self->compressor, ZSTD_c_windowLog, MN_FORMAT_WINDOW_LOG);
    ZSTD_CCtx_setParameter(self->compressor, ZSTD_c_checksumFlag, 1);
    return self;
}

void mn_recorder_free(MnRecorder *self) {
    if (!self)
        return;
    for (guint i = 0; i < self->known->len; i++)
        known_free(self->known->pdata[i]);
    g_ptr_array_free(self->known, TRUE);
    g_byte_array_free(self->moment, TRUE);
    g_byte_array_free(self->change, TRUE);
    g_byte_array_free(self->output, TRUE);
    ZSTD_freeCCtx(self->compressor);
    g_free(self);
}

/* --- the output --- */

static void compress(MnRecorder *self, const guint8 *bytes, gsize len, ZSTD_EndDirective end) {
    ZSTD_inBuffer in = { bytes, len, 0 };
    gsize left, room = ZSTD_CStreamOutSize();

    do {
        ZSTD_outBuffer out = { NULL, room, 0 };
        guint before = self->output->len;

        g_byte_array_set_size(self->output, before + (guint)room);
        out.dst = self->output->data + before;
        left = ZSTD_compressStream2(self->compressor, &out, &in, end);
        if (ZSTD_isError(left)) /* for want of memory */
            g_error("cannot compress: %s", ZSTD_getErrorName(left));
        g_byte_array_set_size(self->output, before + (guint)out.pos);
    } while (end == ZSTD_e_continue ? in.pos < in.size : left > 0);
}

static void put_bytes(GByteArray *to, const void *bytes, gsize len) {
    mn_varint_put(to, len);
    g_byte_array_append(to, bytes, (guint)len);
}

/* Puts a block to the output. */
static void put_block(MnRecorder *self, const GByteArray *block) {
    GByteArray *length = self->change;

    g_byte_array_set_size(length, 0);
    mn_varint_put(length, block->len);
    compress(self, length->data, length->len, ZSTD_e_continue);
    compress(self, block->data, block->len, ZSTD_e_continue);
    self->frame_bytes += length->len + block->len;
}

void mn_recorder_flush(MnRecorder *self) {
    if (self->has_frame)
        compress(self, NULL, 0, ZSTD_e_flush);
}

const guint8 *mn_recorder_get_output(const MnRecorder *self, gsize *ret_len) {
    *ret_len = self->output->len;
    return self->output->data;
}

void mn_recorder_take_output(MnRecorder *self) {
    g_byte_array_set_size(self->output, 0);
}

/* --- frames --- */

static void begin_frame(MnRecorder *self, gint64 monotonic_us, gint64 date_us) {
    GByteArray *head = self->moment;

    g_byte_array_set_size(head, 0);
    g_byte_array_append(head, (const guint8 *)MN_FORMAT_MAGIC, MN_FORMAT_MAGIC_BYTES);
    mn_varint_put(head, self->page_bytes);
    mn_varint_put(head, (guint64)monotonic_us);
    mn_varint_put(head, (guint64)MAX(date_us, 0));
    put_block(self, head);
    self->has_frame = TRUE;
    self->is_first = TRUE;
    self->monotonic_us = monotonic_us;
    self->date_us = date_us;
}

void mn_recorder_end_frame(MnRecorder *self) {
    if (!self->has_frame)
        return;
    compress(self, NULL, 0, ZSTD_e_end);
    self->has_frame = FALSE;
    self->frame_bytes = 0;
    self->n_in_frame = 0;
    for (guint i = 0; i < self->known->len; i++)
        ((Known *)self->known->pdata[i])->is_in_frame = FALSE;
}

gsize mn_recorder_get_frame_bytes(const MnRecorder *self) {
    return self->frame_bytes;
}

/* --- moments --- */

void mn_recorder_begin(MnRecorder *self, gint64 monotonic_us, gint64 date_us) {
    gint64 since_us;

    if (!self->has_frame)
        begin_frame(self, monotonic_us, date_us);
    since_us = MAX(monotonic_us - self->monotonic_us, 0);
    g_byte_array_set_size(self->moment, 0);
    mn_varint_put(self->moment, (guint64)since_us);
    self->monotonic_us += since_us;
    self->date_us += since_us;
    if (ABS(date_us - self->date_us) >= DATE_STEP_US) {
        mn_varint_put(self->moment, MN_FORMAT_DATE);
        mn_varint_put(self->moment, (guint64)MAX(date_us, 0));
        self->date_us = date_us;
    }
}

static Known *know(MnRecorder *self, const char *name) {
    Known *known;

    for (guint i = 0; i < self->known->len; i++)
        if (strcmp(((Known *)self->known->pdata[i])->name, name) == 0)
            return self->known->pdata[i];
    if (self->known->len == MN_SCRIPT_TEXTS_MAX)
        return NULL;
    known = g_new0(Known, 1);
    known->name = g_strdup(name);
    mn_form_init(&known->form);
    g_ptr_array_add(self->known, known);
    return known;
}

static void put_name(MnRecorder *self, Known *known) {
    mn_varint_put(self->moment, MN_FORMAT_NAME);
    put_bytes(self->moment, known->name, strlen(known->name));
    known->is_in_frame = TRUE;
    known->number = self->n_in_frame++;
}

static void put_tag(MnRecorder *self, const Known *known, guint tag) {
    mn_varint_put(self->moment, MN_FORMAT_STEP * (guint64)known->number + tag);
}

static void put_whole(MnRecorder *self, Known *known) {
    if (!known->is_in_frame)
        put_name(self, known);
    put_tag(self, known, MN_FORMAT_WHOLE);
    put_bytes(self->moment, known->form.text->str, known->form.text->len);
    known->is_there = TRUE;
}

static void put_text(MnRecorder *self, Known *known, const char *text, gsize len) {
    const GString *before = known->form.text;

    if (known->is_there && known->is_in_frame) {
        if (before->len == len && memcmp(before->str, text, len) == 0)
            return;
        g_byte_array_set_size(self->change, 0);
        if (mn_form_change(&known->form, text, len, self->change)) {
            put_tag(self, known, MN_FORMAT_CHANGE);
            put_bytes(self->moment, self->change->data, self->change->len);
            return;
        }
    }
    mn_form_set(&known->form, text, len);
    put_whole(self, known);
}

static void put_gone(MnRecorder *self, Known *known) {
    if (known->is_there && known->is_in_frame)
        put_tag(self, known, MN_FORMAT_GONE);
    known->is_there = FALSE;
}

void mn_recorder_put(MnRecorder *self, const char *name, const char *text, gsize len) {
    Known *known = len <= MN_SCRIPT_TEXT_BYTES_MAX ? know(self, name) : NULL;

    if (!known)
        return;
    if (text)
        put_text(self, known, text, len);
    else
        put_gone(self, known);
}

/* A frame is to be understood alone: what was not put in its first moment is what it was. */
static void put_the_rest(MnRecorder *self) {
    for (guint i = 0; i < self->known->len; i++) {
        Known *known = self->known->pdata[i];

        if (known->is_there && !known->is_in_frame)
            put_whole(self, known);
    }
}

void mn_recorder_end(MnRecorder *self) {
    if (self->is_first)
        put_the_rest(self);
    self->is_first = FALSE;
    put_block(self, self->moment);
}
