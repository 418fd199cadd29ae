/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zstandard -> blocks -> the texts of a moment: script/format.h. The next block is read ahead, so that it is known when
 * the next moment is. What is damaged ends a frame, and the next one that begins in the file is gone on with. */
#include "script/kind.h"

#include "core/change.h"
#include "core/number.h"
#include "script/format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define READ_BYTES 65536

typedef struct MnRecording {
    MnScript script;
    int fd;

    /* The file. */
    guint8 input[READ_BYTES];
    ZSTD_inBuffer in;
    off_t input_at;    /* where what is in `input` ends in the file */
    off_t frame_at;    /* where the present frame begins */
    gboolean in_frame; /* it has begun, and has not ended */
    ZSTD_DCtx *decompressor;

    /* What was decompressed, from the beginning of the next block on. */
    GByteArray *plain;
    gsize block_bytes; /* of that, with its length; 0 until it is whole */
    gsize head_bytes;  /* of its length */

    /* The frame. */
    gboolean has_head;
    gboolean is_first;   /* the next moment is its first */
    gint64 monotonic_us; /* of the last moment */
    GArray *texts;       /* guint: its texts -> those of the script */
    GPtrArray *forms;    /* MnForm, of the texts of the script */
    gint64 next_monotonic_us;
} MnRecording;

/* --- the file --- */

/* The first that there is. */
static void note_fault(MnRecording *self, int r) {
    if (self->script.fault)
        return;
    if (r == -EBADMSG)
        self->script.fault =
            g_strdup_printf("it is cut or damaged in what begins at byte %" G_GINT64_FORMAT, (gint64)self->frame_at);
    else
        self->script.fault = g_strdup(g_strerror(-r));
}

/* 1, or 0 at the end of the file; -errno. */
static int fill_input(MnRecording *self) {
    gssize n;

    if (self->in.pos < self->in.size)
        return 1;
    do
        n = pread(self->fd, self->input, sizeof self->input, self->input_at);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    self->input_at += n;
    self->in = (ZSTD_inBuffer){ self->input, (gsize)n, 0 };
    return 1;
}

static off_t position(const MnRecording *self) {
    return self->input_at - (off_t)(self->in.size - self->in.pos);
}

static void seek(MnRecording *self, off_t at) {
    self->input_at = at;
    self->in = (ZSTD_inBuffer){ 0 };
}

static void leave_frame(MnRecording *self) {
    ZSTD_DCtx_reset(self->decompressor, ZSTD_reset_session_only);
    g_byte_array_set_size(self->plain, 0);
    self->block_bytes = 0;
    self->in_frame = FALSE;
    self->has_head = FALSE;
}

/* Finds the next frame that begins behind the present one's beginning. FALSE when there is none. */
static gboolean find_frame(MnRecording *self) {
    static const guint8 magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
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

/* Decompresses some more. 1, or 0 at the end of the file; -EBADMSG. */
static int read_some(MnRecording *self) {
    guint before = self->plain->len;
    ZSTD_outBuffer out = { NULL, READ_BYTES, 0 };
    gsize left;
    int r;

    r = fill_input(self);
    if (r <= 0)
        return r;
    if (!self->in_frame) {
        self->frame_at = position(self);
        self->in_frame = TRUE;
    }
    g_byte_array_set_size(self->plain, before + READ_BYTES);
    out.dst = self->plain->data + before;
    left = ZSTD_decompressStream(self->decompressor, &out, &self->in);
    g_byte_array_set_size(self->plain, before + (guint)(ZSTD_isError(left) ? 0 : out.pos));
    if (ZSTD_isError(left))
        return -EBADMSG;
    if (left == 0)
        self->in_frame = FALSE;
    return 1;
}

/* --- blocks --- */

static void drop_block(MnRecording *self) {
    g_byte_array_remove_range(self->plain, 0, (guint)self->block_bytes);
    self->block_bytes = 0;
}

/* Whether there is a whole block; -EBADMSG when it can be none. */
static int find_block(MnRecording *self) {
    const guint8 *at = self->plain->data, *end = at + self->plain->len;
    guint64 len;

    if (at == end || mn_varint_take(&at, end, &len) < 0)
        return self->plain->len >= 10 ? -EBADMSG : 0;
    if (len > MN_FORMAT_BLOCK_BYTES_MAX)
        return -EBADMSG;
    if ((guint64)(end - at) < len)
        return 0;
    self->head_bytes = (gsize)(at - self->plain->data);
    self->block_bytes = self->head_bytes + (gsize)len;
    return 1;
}

static const guint8 *block_start(const MnRecording *self) {
    return self->plain->data + self->head_bytes;
}

static const guint8 *block_end(const MnRecording *self) {
    return self->plain->data + self->block_bytes;
}

/* Makes the next block whole. 1, or 0 at the end; -EBADMSG when the frame is damaged or cut. */
static int read_block(MnRecording *self) {
    int r;

    while ((r = find_block(self)) == 0) {
        if (!self->in_frame && self->plain->len > 0) /* the frame has ended */
            return -EBADMSG;
        if (!self->in_frame)
            self->has_head = FALSE;
        r = read_some(self);
        if (r <= 0)
            break;
    }
    return r == 0 && (self->in_frame || self->plain->len > 0) ? -EBADMSG : r;
}

/* --- what a block says --- */

static int take_time(const guint8 **at, const guint8 *end, gint64 *ret_us) {
    guint64 us;
    int r;

    r = mn_varint_take(at, end, &us);
    if (r == 0 && us > (guint64)MN_FORMAT_TIME_MAX_US)
        r = -EBADMSG;
    if (r == 0)
        *ret_us = (gint64)us;
    return r;
}

/* The time between two frames: by the date where the machine was started again meanwhile. */
static void join_frames(MnRecording *self, gint64 monotonic_us, gint64 date_us, gboolean is_first_of_all) {
    if (is_first_of_all)
        self->monotonic_us = monotonic_us;
    else if (monotonic_us < self->monotonic_us)
        self->monotonic_us = monotonic_us - MAX(date_us - self->script.date_us, 0);
    self->script.date_us = date_us - MAX(monotonic_us - self->monotonic_us, 0);
    self->next_monotonic_us = monotonic_us;
}

static int take_head(MnRecording *self) {
    const guint8 *at = block_start(self), *end = block_end(self);
    gboolean is_first_of_all = self->script.page_bytes == 0;
    gint64 monotonic_us = 0, date_us = 0;
    guint64 page_bytes;
    int r;

    if (end - at < MN_FORMAT_MAGIC_BYTES || memcmp(at, MN_FORMAT_MAGIC, MN_FORMAT_MAGIC_BYTES) != 0)
        return -EBADMSG;
    at += MN_FORMAT_MAGIC_BYTES;
    r = mn_varint_take(&at, end, &page_bytes);
    if (r == 0)
        r = take_time(&at, end, &monotonic_us);
    if (r == 0)
        r = take_time(&at, end, &date_us);
    if (r < 0 || page_bytes < 1024 || page_bytes > G_MAXUINT16 + 1 || (page_bytes & (page_bytes - 1)) != 0 ||
        (!is_first_of_all && page_bytes != self->script.page_bytes))
        return -EBADMSG;
    self->script.page_bytes = (guint)page_bytes;
    join_frames(self, monotonic_us, date_us, is_first_of_all);
    self->has_head = TRUE;
    self->is_first = TRUE;
    g_array_set_size(self->texts, 0);
    return 0;
}

/* Finds out when the next moment is. */
static int take_since(MnRecording *self) {
    const guint8 *at = block_start(self);
    gint64 since_us = 0;
    int r;

    r = take_time(&at, block_end(self), &since_us);
    if (r < 0)
        return r;
    self->next_monotonic_us += since_us;
    self->script.next_us = self->script.time_us + self->next_monotonic_us - self->monotonic_us;
    return self->script.next_us <= MN_FORMAT_TIME_MAX_US && self->next_monotonic_us <= 2 * MN_FORMAT_TIME_MAX_US
               ? 0
               : -EBADMSG;
}

/* 1 when there is a next moment, 0 at the end; -EBADMSG. */
static int find_moment_in_frame(MnRecording *self) {
    int r;

    for (;;) {
        r = read_block(self);
        if (r <= 0)
            return r;
        if (self->has_head)
            break;
        r = take_head(self);
        if (r < 0)
            return r;
        drop_block(self);
    }
    r = take_since(self);
    return r == 0 ? 1 : r;
}

static void find_moment(MnRecording *self) {
    int r;

    while ((r = find_moment_in_frame(self)) < 0) {
        note_fault(self, r);
        if (r != -EBADMSG || !find_frame(self))
            break;
    }
    self->script.has_next = r > 0;
}

/* --- the texts of a moment --- */

static void show(MnScriptText *text, const MnForm *form) {
    text->text = form->text->str;
    text->len = form->text->len;
    text->serial++;
}

static int add_name(MnRecording *self, const guint8 *name, gsize len) {
    MnScriptText *text =
        self->texts->len < MN_SCRIPT_TEXTS_MAX ? mn_script_add_text(&self->script, (const char *)name, len) : NULL;
    guint number;

    if (!text)
        return -EBADMSG;
    g_ptr_array_find(self->script.texts, text, &number);
    g_array_append_val(self->texts, number);
    while (self->forms->len < self->script.texts->len) {
        MnForm *form = g_new0(MnForm, 1);

        mn_form_init(form);
        g_ptr_array_add(self->forms, form);
    }
    return 0;
}

static int take_bytes(const guint8 **at, const guint8 *end, const guint8 **ret, gsize *ret_len) {
    guint64 len;
    int r;

    r = mn_varint_take(at, end, &len);
    if (r < 0 || len > (guint64)(end - *at) || len > MN_SCRIPT_TEXT_BYTES_MAX)
        return -EBADMSG;
    *ret = *at;
    *ret_len = (gsize)len;
    *at += len;
    return 0;
}

static int take_text(MnRecording *self, guint64 tag, const guint8 **at, const guint8 *end) {
    guint64 which = (tag - MN_FORMAT_WHOLE) / MN_FORMAT_STEP;
    guint form_of_tag = MN_FORMAT_WHOLE + (guint)((tag - MN_FORMAT_WHOLE) % MN_FORMAT_STEP);
    const guint8 *bytes = NULL;
    MnScriptText *text;
    MnForm *form;
    guint number;
    gsize len = 0;
    int r = 0;

    if (which >= self->texts->len || form_of_tag > MN_FORMAT_GONE)
        return -EBADMSG;
    number = g_array_index(self->texts, guint, which);
    text = self->script.texts->pdata[number];
    form = self->forms->pdata[number];
    if (form_of_tag != MN_FORMAT_GONE)
        r = take_bytes(at, end, &bytes, &len);
    if (r < 0)
        return r;

    if (form_of_tag == MN_FORMAT_WHOLE)
        mn_form_set(form, (const char *)bytes, len);
    else if (form_of_tag == MN_FORMAT_CHANGE)
        r = text->text ? mn_form_apply(form, bytes, len) : -EBADMSG;
    if (r == 0 && form->text->len > MN_SCRIPT_TEXT_BYTES_MAX)
        r = -EBADMSG;
    if (r == 0)
        show(text, form);
    if (r < 0 || form_of_tag == MN_FORMAT_GONE)
        text->text = NULL;
    return r;
}

static int take_item(MnRecording *self, const guint8 **at, const guint8 *end) {
    const guint8 *name;
    guint64 tag;
    gsize len;
    int r;

    r = mn_varint_take(at, end, &tag);
    if (r < 0)
        return r;
    if (tag == MN_FORMAT_DATE)
        return take_time(at, end, &self->script.date_us);
    if (tag >= MN_FORMAT_WHOLE)
        return take_text(self, tag, at, end);
    r = tag == MN_FORMAT_NAME ? take_bytes(at, end, &name, &len) : -EBADMSG;
    return r == 0 ? add_name(self, name, len) : r;
}

static void forget_texts(MnRecording *self) {
    for (guint i = 0; i < self->script.texts->len; i++)
        ((MnScriptText *)self->script.texts->pdata[i])->text = NULL;
}

static int advance(MnScript *script) {
    MnRecording *self = (MnRecording *)script;
    const guint8 *at = block_start(self), *end = block_end(self);
    gint64 since_us = 0;
    int r;

    if (self->is_first)
        forget_texts(self);
    self->is_first = FALSE;
    script->date_us += self->next_monotonic_us - self->monotonic_us;
    self->monotonic_us = self->next_monotonic_us;

    r = take_time(&at, end, &since_us);
    while (r == 0 && at < end)
        r = take_item(self, &at, end);
    drop_block(self);
    if (r < 0) {
        note_fault(self, r);
        script->has_next = find_frame(self);
        if (!script->has_next)
            return -EBADMSG;
    }
    find_moment(self);
    return 0;
}

/* --- --- */

static void recording_free(MnScript *script) {
    MnRecording *self = (MnRecording *)script;

    for (guint i = 0; i < self->forms->len; i++) {
        mn_form_clear(self->forms->pdata[i]);
        g_free(self->forms->pdata[i]);
    }
    g_ptr_array_free(self->forms, TRUE);
    g_array_free(self->texts, TRUE);
    g_byte_array_free(self->plain, TRUE);
    ZSTD_freeDCtx(self->decompressor);
    close(self->fd);
    g_free(self);
}

gboolean mn_recording_open(int fd, const char *path, MnScript **ret, GError **error) {
    static const MnScriptKind kind = { advance, recording_free };
    MnRecording *self = g_new0(MnRecording, 1);
    g_autoptr(MnScript) script = &self->script;

    mn_script_init(script, &kind);
    self->fd = fd;
    self->decompressor = ZSTD_createDCtx();
    ZSTD_DCtx_setParameter(self->decompressor, ZSTD_d_windowLogMax, MN_FORMAT_WINDOW_LOG);
    self->plain = g_byte_array_new();
    self->texts = g_array_new(FALSE, FALSE, sizeof(guint));
    self->forms = g_ptr_array_new();

    find_moment(self);
    if (!script->has_next) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot read '%s' as a recording%s%s", path,
                    script->fault ? ": " : "", script->fault ? script->fault : "");
        return FALSE;
    }
    *ret = g_steal_pointer(&script);
    return TRUE;
}
