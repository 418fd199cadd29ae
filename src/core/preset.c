/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of thresholds. It is read to its end also when a line is wrong, so that all that are can be mended at once. */
#include "preset.h"

#include "core/name.h"

#include <errno.h>
#include <string.h>

/* A line, from its first byte that is no blank. */
typedef struct Line {
    const char *start;
    const char *at;
    const char *end;
} Line;

static gboolean is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

void mn_preset_free(MnPreset *self) {
    if (!self)
        return;
    g_free(self->name);
    g_free(self);
}

/* FALSE at the end of the text. */
static gboolean take_line(const char **at, const char *end, Line *ret) {
    const char *newline;

    if (*at == end)
        return FALSE;
    newline = memchr(*at, '\n', (gsize)(end - *at));
    *ret = (Line){ .start = *at, .at = *at, .end = newline ? newline : end };
    *at = newline ? newline + 1 : end;
    while (ret->at < ret->end && is_blank(*ret->at))
        ret->at++;
    return TRUE;
}

static gboolean is_empty(const Line *line) {
    return line->at == line->end || *line->at == '#';
}

static int refuse(const Line *line, MnFault *fault, const char *reason) {
    return mn_fault_set(fault, (gsize)(line->at - line->start), "%s", reason);
}

/* With a NUL in it the name would end there, and the limits take one at their end for that of a C string. */
static int parse_name(Line *line, MnFault *fault, char **ret) {
    const char *name = line->at, *at = name;
    g_autofree char *copy = NULL;

    if (memchr(line->at, '\0', (gsize)(line->end - line->at)))
        return refuse(line, fault, "there is a NUL in this line");
    while (at < line->end && !is_blank(*at))
        at++;
    copy = g_strndup(name, (gsize)(at - name));
    if (mn_name_check(copy) < 0)
        return refuse(line, fault, "no threshold can have this name");

    line->at = at;
    *ret = g_steal_pointer(&copy);
    return 0;
}

static int parse_limits(const Line *line, const MnMachine *machine, MnFault *fault, MnLimitSet *ret) {
    int r;

    r = mn_limit_set_parse(line->at, (gsize)(line->end - line->at), machine, fault, ret);
    if (r < 0)
        fault->at += (gsize)(line->at - line->start);
    else if (ret->n == 0)
        r = refuse(line, fault, "a limit is missing behind the name, as in 'low available<10%'");
    return r;
}

static int parse_preset(Line *line, const MnMachine *machine, GHashTable *lines, MnFault *fault, MnPreset *preset) {
    Line whole = *line;
    int r;

    r = parse_name(line, fault, &preset->name);
    if (r == 0 && g_hash_table_contains(lines, preset->name))
        r = mn_fault_set(fault, (gsize)(whole.at - whole.start), "this name is already in line %u",
                         GPOINTER_TO_UINT(g_hash_table_lookup(lines, preset->name)));
    return r < 0 ? r : parse_limits(line, machine, fault, &preset->limits);
}

int mn_presets_parse(const char *text, gsize len, const MnMachine *machine,
                     void (*blame)(guint line, const MnFault *fault, gpointer data), gpointer data, GPtrArray **ret) {
    g_autoptr(GPtrArray) presets = g_ptr_array_new_with_free_func((GDestroyNotify)mn_preset_free);
    g_autoptr(GHashTable) lines = g_hash_table_new(g_str_hash, g_str_equal); /* name -> its line */
    const char *at = text, *end = text + len;
    gboolean is_good = TRUE;
    Line line;

    for (guint number = 1; take_line(&at, end, &line); number++) {
        g_autoptr(MnPreset) preset = NULL;
        MnFault fault = { 0 };

        if (is_empty(&line))
            continue;
        preset = g_new0(MnPreset, 1);
        preset->line = number;
        if (parse_preset(&line, machine, lines, &fault, preset) < 0) {
            is_good = FALSE;
            blame(number, &fault, data);
            continue;
        }
        g_hash_table_insert(lines, preset->name, GUINT_TO_POINTER(number));
        g_ptr_array_add(presets, g_steal_pointer(&preset));
    }
    if (!is_good)
        return -EINVAL;

    *ret = g_steal_pointer(&presets);
    return 0;
}
