/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zstandard -> blocks -> the texts of a moment: script/format.h. The next block is read ahead, so that it is known when
 * the next moment is. What is damaged ends a frame, and the next one that begins in the file is gone on with. */
#include "script/kind.h"

#include "core/change.h"
#include "script/format.h"
#include "script/frames.h"

#include <errno.h>
#include <string.h>

typedef struct MnRecording {
    MnScript script;
    MnFrames frames;
    gboolean is_first;   /* the next moment is the first of its frame */
    gint64 monotonic_us; /* of the last moment */
    gint64 next_monotonic_us;
    GArray *texts;    /* guint: those of the frame -> those of the script */
    GPtrArray *forms; /* MnForm, of the texts of the script */
} MnRecording;

/* The first that there is. */
static void note_fault(MnRecording *self, int r) {
    if (self->script.fault)
        return;
    if (r == -EBADMSG)
        self->script.fault = g_strdup_printf("it is cut or damaged in what begins at byte %" G_GINT64_FORMAT,
                                             (gint64)self->frames.frame_at);
    else
        self->script.fault = g_strdup(g_strerror(-r));
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
    const guint8 *at = mn_frames_block_start(&self->frames), *end = mn_frames_block_end(&self->frames);
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
    self->is_first = TRUE;
    g_array_set_size(self->texts, 0);
    return 0;
}

/* Finds out when the next moment is. */
static int take_since(MnRecording *self) {
    const guint8 *at = mn_frames_block_start(&self->frames);
    gint64 since_us = 0;
    int r;

    r = take_time(&at, mn_frames_block_end(&self->frames), &since_us);
    if (r < 0)
        return r;
    self->next_monotonic_us += since_us;
    self->script.next_us = self->script.time_us + self->next_monotonic_us - self->monotonic_us;
    return self->script.next_us <= MN_FORMAT_TIME_MAX_US && self->next_monotonic_us <= 2 * MN_FORMAT_TIME_MAX_US
               ? 0
               : -EBADMSG;
}

/* 1 when there is a next moment, 0 at the end; -EBADMSG, -errno. */
static int find_moment_in_frame(MnRecording *self) {
    int r;

    while ((r = mn_frames_read(&self->frames)) > 0 && mn_frames_is_head(&self->frames)) {
        r = take_head(self);
        if (r < 0)
            return r;
        mn_frames_drop(&self->frames);
    }
    if (r > 0)
        r = take_since(self) < 0 ? -EBADMSG : 1;
    return r;
}

static void find_moment(MnRecording *self) {
    int r;

    while ((r = find_moment_in_frame(self)) < 0) {
        note_fault(self, r);
        if (r != -EBADMSG || !mn_frames_skip(&self->frames))
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
    const guint8 *at = mn_frames_block_start(&self->frames), *end = mn_frames_block_end(&self->frames);
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
    mn_frames_drop(&self->frames);
    if (r < 0) {
        note_fault(self, r);
        script->has_next = mn_frames_skip(&self->frames);
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
    mn_frames_clear(&self->frames);
    g_free(self);
}

gboolean mn_recording_open(int fd, const char *path, MnScript **ret, GError **error) {
    static const MnScriptKind kind = { advance, recording_free, TRUE };
    MnRecording *self = g_new0(MnRecording, 1);
    g_autoptr(MnScript) script = &self->script;

    mn_script_init(script, &kind);
    mn_frames_init(&self->frames, fd);
    self->texts = g_array_new(FALSE, FALSE, sizeof(guint));
    self->forms = g_ptr_array_new();

    find_moment(self);
    if (!script->has_next) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "'%s' is neither a scenario, which is UTF-8, nor a recording that can be read%s%s", path,
                    script->fault ? ": " : "", script->fault ? script->fault : "");
        return FALSE;
    }
    *ret = g_steal_pointer(&script);
    return TRUE;
}
