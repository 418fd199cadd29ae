/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "look.h"

#include "figuresjson.h"
#include "json.h"

#include "core/number.h"

static const char *const parts[] = {
    [MN_PART_TOTAL] = "all",
    [MN_PART_MEMORY] = "memory",
    [MN_PART_SWAP] = "swap",
};

/* Names of processes, and those of paths, are any bytes. */
static void add_text(JsonBuilder *builder, const char *name, const char *value) {
    g_autofree char *text = g_utf8_make_valid(value, -1);

    cmd_json_add_string(builder, name, text);
}

static void begin_member(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

void exp_look_add_help(JsonBuilder *builder) {
    begin_member(builder, "help");
    for (guint id = 0; id < MN_N_METERS; id++)
        cmd_json_add_string(builder, mn_meters[id].name, mn_meters[id].help);
    json_builder_end_object(builder);
}

static void add_parts(JsonBuilder *builder, const CmdFigures *figures) {
    begin_member(builder, "parts");
    for (guint id = 0; id < MN_N_METERS; id++)
        if (figures->offered & MN_METER_BIT(id))
            cmd_json_add_string(builder, mn_meters[id].name, parts[mn_meters[id].part]);
    json_builder_end_object(builder);
}

static void add_lack(JsonBuilder *builder, const CmdFound *found, gboolean is_late) {
    json_builder_set_member_name(builder, "lack");
    if (is_late)
        json_builder_add_string_value(builder, "memnotifyfs does not answer");
    else if (found->lack)
        json_builder_add_string_value(builder, found->lack);
    else
        json_builder_add_null_value(builder);
}

void exp_look_add_mount(JsonBuilder *builder, const char *name, const CmdFound *found, gboolean is_late) {
    const CmdFigures *figures = &found->figures;

    json_builder_begin_object(builder);
    cmd_json_add_string(builder, "name", name ? name : "");
    add_text(builder, "place", found->place ? found->place : "");
    add_lack(builder, found, is_late);
    cmd_json_add_boolean(builder, "group", figures->is_of_group);
    cmd_json_add_boolean(builder, "gone", figures->is_gone);
    cmd_json_add_boolean(builder, "simulated", figures->is_simulated);
    cmd_figures_add_json(builder, figures);
    add_parts(builder, figures);
    json_builder_end_object(builder);
}

void exp_look_add_event(JsonBuilder *builder, const char *name, const CmdEvent *event) {
    json_builder_begin_object(builder);
    cmd_json_add_string(builder, "mount", name ? name : "");
    cmd_json_add_integer(builder, "time_ms", (guint64)(cmd_event_get_date_us(event) / 1000));
    add_text(builder, "threshold", event->threshold);
    cmd_json_add_string(builder, "meter", event->what.meter);
    cmd_json_add_string(builder, "word", cmd_event_get_word(event) ? cmd_event_get_word(event) : "");
    cmd_json_add_pages(builder, "bytes", event->what.value_pages);
    cmd_json_add_pages(builder, "limit_bytes", event->what.limit_pages);
    json_builder_end_object(builder);
}

/* May have shrunk. */
static gint64 grown_bytes(const CmdGrown *process) {
    guint64 before = process->first_rss_pages + process->first_swap_pages,
            now = process->rss_pages + process->swap_pages;
    guint64 change = now >= before ? now - before : before - now;
    gint64 bytes = (gint64)MIN(mn_multiply(change, cmd_page_bytes()), G_MAXINT64);

    return now >= before ? bytes : -bytes;
}

void exp_look_add_process(JsonBuilder *builder, const CmdGrown *process) {
    json_builder_begin_object(builder);
    cmd_json_add_integer(builder, "pid", (guint64)process->pid);
    add_text(builder, "name", process->comm);
    cmd_json_add_pages(builder, "rss", process->rss_pages);
    json_builder_set_member_name(builder, "grown");
    json_builder_add_int_value(builder, grown_bytes(process));
    cmd_json_add_pages(builder, "swap", process->swap_pages);
    json_builder_end_object(builder);
}

char *exp_look_print(JsonBuilder *builder) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    char *text = json_to_string(root, FALSE);

    json_builder_reset(builder);
    return text;
}
