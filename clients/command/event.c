/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include "json.h"
#include "line.h"
#include "scan.h"
#include "style.h"

#include "core/number.h"
#include "loop/clock.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = {
    [MEMNOTIFYFS_REACHED] = "reached",     [MEMNOTIFYFS_LEFT] = "left",
    [MEMNOTIFYFS_REMOVED] = "removed",     [MEMNOTIFYFS_TOTAL_CHANGED] = "changed",
    [MEMNOTIFYFS_RETURNED] = "returned",   [MEMNOTIFYFS_LOST] = "lost",
    [MEMNOTIFYFS_LAST_CALL] = "last_call", [MEMNOTIFYFS_RECONNECTED] = "reconnected",
};

const char *cmd_event_get_word(const CmdEvent *self) {
    return self->what.kind < G_N_ELEMENTS(words) ? words[self->what.kind] : NULL;
}

/* The name is the second word. */
gboolean cmd_event_parse(const char *line, CmdEvent *ret) {
    CmdEvent event = { 0 };
    int64_t time_us;

    if (line_parse_event(line, &event.what) < 0 || scan_seconds(&line, &time_us) < 0 || !scan_text(&line, " ") ||
        scan_word(&line, event.threshold, sizeof event.threshold) < 0)
        return FALSE;
    if (strcmp(event.threshold, "-") == 0)
        event.threshold[0] = '\0';
    *ret = event;
    return TRUE;
}

gint64 cmd_event_get_date_us(const CmdEvent *self) {
    struct timespec now = mn_date_now();
    gint64 now_us = now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;

    return self->page_bytes > 0 ? self->date_us : now_us - (mn_clock_now_us(&mn_machine_clock) - self->what.time_us);
}

static GDateTime *date_of(const CmdEvent *self) {
    gint64 us = cmd_event_get_date_us(self);
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_local(us / G_USEC_PER_SEC);

    return g_date_time_add(second, us % G_USEC_PER_SEC);
}

static void append_values(const struct memnotifyfs_event *what, const char *before, CmdUnit unit, GString *line) {
    char value[CMD_SIZE_BYTES], limit[CMD_SIZE_BYTES];

    g_string_append_printf(line, " %s %s %s", cmd_size_print(what->value_pages, unit, value), before,
                           cmd_size_print(what->limit_pages, unit, limit));
}

void cmd_event_append(const CmdEvent *self, CmdUnit unit, GString *line) {
    const struct memnotifyfs_event *what = &self->what;
    g_autoptr(GDateTime) date = date_of(self);
    g_autofree char *seconds = g_date_time_format(date, "%F %T");

    g_string_append_printf(line, "%s.%03d", seconds, g_date_time_get_microsecond(date) / 1000);
    if (self->threshold[0]) {
        g_string_append_c(line, ' ');
        cmd_style_append_shown(line, self->threshold, 0);
    }
    g_string_append_printf(line, "%s%s %s", what->meter[0] ? " " : "", what->meter, cmd_event_get_word(self));
    if (what->kind == MEMNOTIFYFS_REACHED || what->kind == MEMNOTIFYFS_LEFT)
        append_values(what, "limit", unit, line);
    else if (what->kind == MEMNOTIFYFS_TOTAL_CHANGED)
        append_values(what, "before", unit, line);
    else if (what->kind == MEMNOTIFYFS_LOST)
        g_string_append_printf(line, " %" G_GUINT64_FORMAT, (guint64)what->count);
}

static void add_time(JsonBuilder *builder, const CmdEvent *self) {
    g_autoptr(GDateTime) date = date_of(self);
    g_autofree char *iso = g_date_time_format_iso8601(date);

    if (self->page_bytes > 0)
        cmd_json_add_number(builder, "seconds", (double)self->what.time_us / G_USEC_PER_SEC);
    if (self->page_bytes == 0 || self->date_us > 0)
        cmd_json_add_string(builder, "time", iso);
}

static void add_pages(JsonBuilder *builder, const CmdEvent *self, const char *name, guint64 pages) {
    if (self->page_bytes > 0)
        cmd_json_add_integer(builder, name, mn_multiply(pages, self->page_bytes));
    else
        cmd_json_add_pages(builder, name, pages);
}

static void print_json(const CmdEvent *self) {
    const struct memnotifyfs_event *what = &self->what;
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    add_time(builder, self);
    if (self->threshold[0])
        cmd_json_add_string(builder, "threshold", self->threshold);
    if (what->meter[0])
        cmd_json_add_string(builder, "meter", what->meter);
    cmd_json_add_string(builder, "event", cmd_event_get_word(self));
    if (what->meter[0])
        add_pages(builder, self, "value", what->value_pages);
    if (what->kind == MEMNOTIFYFS_REACHED || what->kind == MEMNOTIFYFS_LEFT)
        add_pages(builder, self, "limit", what->limit_pages);
    else if (what->kind == MEMNOTIFYFS_TOTAL_CHANGED)
        add_pages(builder, self, "before", what->limit_pages);
    else if (what->kind == MEMNOTIFYFS_LOST)
        cmd_json_add_integer(builder, "count", what->count);
    json_builder_end_object(builder);
    cmd_json_print_line(builder);
}

void cmd_event_print(const CmdEvent *self, const CmdOptions *options) {
    if (!cmd_event_get_word(self))
        return;
    if (options->wants_json) {
        print_json(self);
    } else {
        g_autoptr(GString) line = g_string_new(NULL);

        cmd_event_append(self, options->unit, line);
        puts(line->str);
    }
    fflush(stdout);
}
