/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all kinds of scripts have in common. */
#include "script.h"

#include "script/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* By which a recording is told from a scenario. */
#define HEAD_BYTES 4096
#define UTF8_BYTES_MAX 4

void mn_script_init(MnScript *self, const MnScriptKind *kind) {
    self->kind = kind;
    self->texts = g_ptr_array_new();
}

static void text_free(MnScriptText *text) {
    g_free((char *)text->name);
    g_free(text);
}

void mn_script_free(MnScript *self) {
    if (!self)
        return;
    for (guint i = 0; i < self->texts->len; i++)
        text_free(self->texts->pdata[i]);
    g_ptr_array_free(self->texts, TRUE);
    g_free(self->fault);
    self->kind->free(self);
}

/* 0, or -errno. */
static int read_head(int fd, guint8 *head, gsize size, gsize *ret_len) {
    gssize n;

    do
        n = pread(fd, head, size, 0);
    while (n < 0 && errno == EINTR);
    *ret_len = (gsize)MAX(n, 0);
    return n < 0 ? -errno : 0;
}

/* Frames are not, from their first bytes on; a character may be cut at the end. */
static gboolean is_text(const guint8 *head, gsize len) {
    const char *end;

    return g_utf8_validate((const char *)head, (gssize)len, &end) || head + len - (const guint8 *)end < UTF8_BYTES_MAX;
}

static gboolean open_scenario(int fd, const char *path, MnScript **ret, GError **error) {
    g_autofree guint8 *text = g_malloc(MN_SCENARIO_BYTES_MAX + 1);
    gsize len = 0;
    int r;

    r = read_head(fd, text, MN_SCENARIO_BYTES_MAX + 1, &len);
    close(fd);
    if (r == 0 && len > 0 && len <= MN_SCENARIO_BYTES_MAX) {
        text[len] = '\0';
        return mn_scenario_open((const char *)text, len, path, ret, error);
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "cannot read '%s': %s", path,
                r < 0      ? g_strerror(-r)
                : len == 0 ? "it is empty"
                           : "it is no recording, and too long for a scenario");
    return FALSE;
}

gboolean mn_script_open(const char *path, MnScript **ret, GError **error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* nobody waits for a FIFO */
    guint8 head[HEAD_BYTES];
    gsize len = 0;
    int r;

    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot open '%s': %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    r = read_head(fd, head, sizeof head, &len);
    return r < 0 || is_text(head, len) ? open_scenario(fd, path, ret, error) : mn_recording_open(fd, path, ret, error);
}

gboolean mn_script_is_recording(const MnScript *self) {
    return self->kind->is_recording;
}

guint mn_script_get_page_bytes(const MnScript *self) {
    return self->page_bytes;
}

gboolean mn_script_peek(const MnScript *self, gint64 *ret_time_us) {
    if (self->has_next)
        *ret_time_us = self->next_us;
    return self->has_next;
}

int mn_script_next(MnScript *self) {
    if (!self->has_next)
        return -EBADMSG;
    self->time_us = self->next_us;
    return self->kind->advance(self);
}

gint64 mn_script_get_time_us(const MnScript *self) {
    return self->time_us;
}

gint64 mn_script_get_date_us(const MnScript *self) {
    return self->date_us;
}

guint mn_script_get_n_texts(const MnScript *self) {
    return self->texts->len;
}

const MnScriptText *mn_script_get_text(const MnScript *self, guint i) {
    return self->texts->pdata[i];
}

static MnScriptText *find(const MnScript *self, const char *name, gsize len) {
    for (guint i = 0; i < self->texts->len; i++) {
        MnScriptText *text = self->texts->pdata[i];

        if (strlen(text->name) == len && memcmp(text->name, name, len) == 0)
            return text;
    }
    return NULL;
}

const MnScriptText *mn_script_find(const MnScript *self, const char *name) {
    const MnScriptText *text = find(self, name, strlen(name));

    return text && text->text ? text : NULL;
}

MnScriptText *mn_script_add_text(MnScript *self, const char *name, gsize len) {
    MnScriptText *text = find(self, name, len);

    if (text)
        return text;
    if (self->texts->len == MN_SCRIPT_TEXTS_MAX || len > MN_SCRIPT_NAME_BYTES_MAX || memchr(name, '\0', len))
        return NULL;
    text = g_new0(MnScriptText, 1);
    text->name = g_strndup(name, len);
    g_ptr_array_add(self->texts, text);
    return text;
}

const char *mn_script_get_fault(const MnScript *self) {
    return self->fault;
}
