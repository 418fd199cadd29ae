/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A number is given to another process after a while, which has another name most of the time: the key is both. */
#include "growers.h"

#include "style.h"

#include "core/number.h"

#include <string.h>

struct CmdGrowers {
    GHashTable *processes; /* CmdGrower, by "PID NAME" */
    gboolean has_begun;
};

static gboolean parse_number(const char **at, const char *end, guint64 *ret) {
    if (mn_number_parse(at, end, ret) < 0 || *at == end || **at != ' ')
        return FALSE;
    (*at)++;
    return TRUE;
}

static gboolean parse_line(const char *at, const char *end, CmdProcessLine *ret) {
    guint64 pid, rss, swap;

    if (!parse_number(&at, end, &pid) || !parse_number(&at, end, &rss) || !parse_number(&at, end, &swap) || at == end)
        return FALSE;
    *ret = (CmdProcessLine){ .pid = pid, .bytes = mn_add(rss, swap), .name = at, .len = (gsize)(end - at) };
    return TRUE;
}

gboolean cmd_process_line_next(const char **text, const char *end, CmdProcessLine *ret) {
    while (*text < end) {
        const char *line = *text, *newline = memchr(line, '\n', (gsize)(end - line));
        const char *line_end = newline ? newline : end;

        *text = newline ? newline + 1 : end;
        if (parse_line(line, line_end, ret))
            return TRUE;
    }
    return FALSE;
}

static void free_grower(gpointer data) {
    CmdGrower *grower = data;

    g_free(grower->name);
    g_free(grower->line_name);
    g_free(grower);
}

CmdGrowers *cmd_growers_new(void) {
    CmdGrowers *self = g_new0(CmdGrowers, 1);

    self->processes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_grower);
    return self;
}

void cmd_growers_free(CmdGrowers *self) {
    if (!self)
        return;
    g_hash_table_unref(self->processes);
    g_free(self);
}

static CmdGrower *add(CmdGrowers *self, gint64 time_us, const CmdProcessLine *line, const char *name) {
    CmdGrower *grower = g_new0(CmdGrower, 1);
    g_autoptr(GString) shown = g_string_new(NULL);

    cmd_style_append_shown(shown, name, 0);
    grower->pid = line->pid;
    grower->name = g_strdup(shown->str);
    grower->line_name = g_strdup(name);
    grower->was_there = !self->has_begun;
    grower->first_bytes = line->bytes;
    grower->first_us = time_us;
    return grower;
}

static void see(CmdGrowers *self, gint64 time_us, const CmdProcessLine *line) {
    g_autofree char *name = g_strndup(line->name, line->len);
    g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT " %s", line->pid, name);
    CmdGrower *grower = g_hash_table_lookup(self->processes, key);

    if (!grower) {
        grower = add(self, time_us, line, name);
        g_hash_table_insert(self->processes, g_steal_pointer(&key), grower);
    }
    grower->last_bytes = line->bytes;
    grower->peak_bytes = MAX(grower->peak_bytes, line->bytes);
    grower->last_us = time_us;
}

gboolean cmd_grower_is(const CmdGrower *self, const CmdProcessLine *line) {
    return self->pid == line->pid && strlen(self->line_name) == line->len &&
           memcmp(self->line_name, line->name, line->len) == 0;
}

void cmd_growers_see(CmdGrowers *self, gint64 time_us, const char *text, gsize len) {
    const char *at = text;
    CmdProcessLine line;

    while (cmd_process_line_next(&at, text + len, &line))
        see(self, time_us, &line);
    self->has_begun = TRUE;
}

static guint64 growth_of(const CmdGrower *grower) {
    return grower->peak_bytes - (grower->was_there ? grower->first_bytes : 0);
}

static gint compare(gconstpointer one, gconstpointer other) {
    const CmdGrower *a = *(const CmdGrower *const *)one, *b = *(const CmdGrower *const *)other;
    guint64 grown = growth_of(a), other_grown = growth_of(b);

    if (grown != other_grown)
        return grown > other_grown ? -1 : 1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

GPtrArray *cmd_growers_rank(const CmdGrowers *self, guint most) {
    GPtrArray *ranked = g_ptr_array_new();
    GHashTableIter iter;
    gpointer grower;

    g_hash_table_iter_init(&iter, self->processes);
    while (g_hash_table_iter_next(&iter, NULL, &grower))
        if (growth_of(grower) > 0)
            g_ptr_array_add(ranked, grower);
    g_ptr_array_sort(ranked, compare);
    if (ranked->len > most)
        g_ptr_array_set_size(ranked, (gint)most);
    return ranked;
}
