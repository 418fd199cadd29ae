/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thresholds that the administrator has written into a file: read, understood as a whole or refused, and made. */
#include "presetfile.h"

#include "core/preset.h"
#include "kernel/textfile.h"

#include <errno.h>
#include <unistd.h>

/* Room for all thresholds that there may be, with a comment to each. */
#define BYTES_MAX (1 << 20)

/* How many wrong lines are named. */
#define BLAMED_MAX 10

struct MnPresetFile {
    char *path;
    MnPresets *presets;
    MnBoard *board;
    MnHelper *helper;
    MnHelperJob *job; /* that reads it again; NULL for none */
};

/* What is wrong with a text. */
typedef struct Blame {
    const MnPresetFile *file;
    GPtrArray *messages; /* owned */
    guint n;
} Blame;

MnPresetFile *mn_preset_file_new(const char *path, MnPresets *presets, MnBoard *board, MnHelper *helper) {
    MnPresetFile *self = g_new0(MnPresetFile, 1);

    self->path = g_strdup(path);
    self->presets = presets;
    self->board = board;
    self->helper = helper;
    return self;
}

void mn_preset_file_free(MnPresetFile *self) {
    if (!self)
        return;
    mn_presets_free(self->presets);
    g_free(self->path);
    g_free(self);
}

static char *describe(const MnPresetFile *self, int r) {
    return g_strdup_printf("cannot use '%s': %s", self->path,
                           r == -EDQUOT || r == -ENFILE ? "there would be too many thresholds or limits"
                           : r == -EFBIG                ? "it has more than 1 MiB"
                                                        : g_strerror(-r));
}

static void on_blame(guint line, const MnFault *fault, gpointer data) {
    Blame *blame = data;

    if (blame->n++ < BLAMED_MAX)
        g_ptr_array_add(blame->messages, g_strdup_printf("cannot use '%s', line %u, column %zu: %s", blame->file->path,
                                                         line, fault->at + 1, fault->reason));
}

/* Parses and applies it. What is wrong is added to the messages, of which there are none if nothing is. */
static int take(MnPresetFile *self, const MnParcel *text, GPtrArray *messages) {
    Blame blame = { .file = self, .messages = messages };
    g_autoptr(GPtrArray) presets = NULL;
    int r;

    r = mn_presets_parse((const char *)text->bytes->data, text->bytes->len, mn_board_get_machine(self->board), on_blame,
                         &blame, &presets);
    if (blame.n > BLAMED_MAX)
        g_ptr_array_add(messages,
                        g_strdup_printf("cannot use '%s': %u more lines are wrong", self->path, blame.n - BLAMED_MAX));
    if (r < 0)
        return r;
    r = mn_presets_apply(self->presets, presets);
    if (r < 0)
        g_ptr_array_add(messages, describe(self, r));
    return r < 0 ? r : (int)presets->len;
}

gboolean mn_preset_file_load(MnPresetFile *self, GError **error) {
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(g_free);
    g_auto(MnParcel) text;
    int r;

    mn_parcel_init(&text);
    r = mn_text_file_read(self->path, BYTES_MAX, &text);
    if (r < 0)
        g_ptr_array_add(messages, describe(self, r));
    else
        r = take(self, &text, messages);
    if (r >= 0)
        return TRUE;

    for (guint i = 0; i + 1 < messages->len; i++)
        g_warning("%s", (const char *)g_ptr_array_index(messages, i));
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, g_ptr_array_index(messages, messages->len - 1));
    return FALSE;
}

static void refuse(const MnPresetFile *self, const GPtrArray *messages) {
    for (guint i = 0; i < messages->len; i++)
        g_warning("%s", (const char *)g_ptr_array_index(messages, i));
    g_warning("the thresholds of '%s' stay as they were", self->path);
}

static void on_read(int r, MnParcel *answer, gpointer data) {
    MnPresetFile *self = data;
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(g_free);

    self->job = NULL;
    if (r == -ENOTCONN) /* we end */
        return;
    if (r < 0)
        g_ptr_array_add(messages, describe(self, r));
    else
        r = take(self, answer, messages);
    if (r < 0)
        refuse(self, messages);
    else
        g_message("read '%s' again: %d threshold%s", self->path, r, r == 1 ? "" : "s");
}

/* One that is on its way may have read it before it was changed the last time. */
void mn_preset_file_reload(MnPresetFile *self) {
    g_autoptr(GPtrArray) messages = g_ptr_array_new_with_free_func(g_free);
    int r;

    if (self->job)
        mn_helper_forget(self->job);
    self->job = NULL;
    r = mn_text_file_ask(self->helper, geteuid(), self->path, BYTES_MAX, on_read, self, &self->job);
    if (r == 0)
        return;
    g_ptr_array_add(messages, describe(self, r));
    refuse(self, messages);
}
