/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify status: what there is to know at a glance. */
#include "client.h"
#include "doctor.h"
#include "figuresjson.h"
#include "json.h"
#include "options.h"
#include "patience.h"
#include "reader.h"
#include "message.h"
#include "style.h"

#include <stdio.h>
#include <string.h>

#define BAR_COLUMNS 30

/* --- for people --- */

/* A line of the table; its end is the caller's. */
static void print_line(GString *line) {
    while (line->len > 0 && line->str[line->len - 1] == ' ')
        g_string_truncate(line, line->len - 1);
    puts(line->str);
    g_string_truncate(line, 0);
}

static void print_title(GString *line, const char *title) {
    putchar('\n');
    cmd_style_append(line, CMD_COLOUR_BOLD, title);
    print_line(line);
}

static void print_meter(const CmdFigures *figures, MnMeterId meter, CmdUnit unit, GString *line) {
    double share = cmd_figures_share(figures, meter);
    char size[CMD_SIZE_BYTES];

    g_string_append_printf(line, "  %-16s %12s", mn_meters[meter].name,
                           cmd_size_print(figures->reading.pages[meter], unit, size));
    if (meter != MN_METER_TOTAL && meter != MN_METER_SWAP_TOTAL) {
        g_string_append_printf(line, " %4.0f%%  ", share * 100);
        cmd_style_append_bar(line, share, BAR_COLUMNS, cmd_style_of_meter(meter, share));
    }
    print_line(line);
}

/* Meters of swap where there is none are left out. */
static void print_meters(const CmdFigures *figures, CmdUnit unit, GString *line) {
    for (guint id = 0; id < MN_N_METERS; id++)
        if ((figures->offered & MN_METER_BIT(id)) &&
            (mn_meters[id].part != MN_PART_SWAP || figures->reading.pages[MN_METER_SWAP_TOTAL] > 0))
            print_meter(figures, id, unit, line);
}

static void print_limit(const CmdFigures *figures, const CmdNamedLimit *limit, CmdUnit unit, GString *line) {
    const char *name = mn_meters[limit->meter].name;
    char size[CMD_SIZE_BYTES];

    g_string_append(line, "  ");
    cmd_style_append_shown(line, limit->threshold, 16);
    g_string_append_printf(line, " %s %s %s", name, mn_op_names[limit->op],
                           cmd_size_print(limit->limit_pages, unit, size));
    if (limit->is_reached) {
        g_string_append(line, "  ");
        cmd_style_append(line, CMD_COLOUR_RED, "reached");
        g_string_append_printf(line, " (%s)", cmd_size_print(figures->reading.pages[limit->meter], unit, size));
    }
    if (limit->crossings > 0)
        g_string_append_printf(line, "  crossed %" G_GUINT64_FORMAT "x", limit->crossings);
    print_line(line);
}

static void print_limits(const CmdFigures *figures, CmdUnit unit, GString *line) {
    if (!figures->limits)
        return;
    print_title(line, "Limits");
    for (guint i = 0; i < figures->limits->len; i++)
        print_limit(figures, &g_array_index(figures->limits, CmdNamedLimit, i), unit, line);
    if (figures->limits->len == 0)
        puts("  none is named in thresholds/");
    if (figures->n_limits_left_out > 0)
        printf("  and %" G_GUINT64_FORMAT " more\n", figures->n_limits_left_out);
}

static void print_stalls(const CmdFigures *figures, GString *line) {
    if (!figures->has_stalls)
        return;
    print_title(line, "Pressure              10 s     60 s    300 s");
    for (guint kind = 0; kind < MN_N_STALLS; kind++) {
        const MnStall *stall = &figures->stalls.lines[kind];

        g_string_append_printf(line, "  %-14s", kind == MN_STALL_SOME ? "some wait" : "all wait");
        for (guint i = 0; i < MN_N_STALL_AVERAGES; i++) {
            g_autofree char *number = g_strdup_printf("%8.2f%%", stall->hundredths[i] / 100.0);

            cmd_style_append(line, cmd_style_of_stall(stall->hundredths[i]), number);
        }
        print_line(line);
    }
}

static void print_head(const CmdReader *reader, const CmdFigures *figures, CmdUnit unit, GString *line) {
    const char *whose = figures->is_of_group ? "control group" : "machine";
    g_autoptr(GString) title = g_string_new(NULL);
    char size[CMD_SIZE_BYTES];

    g_string_append_printf(title, "Memory of the %s, %s, from ", whose,
                           figures->is_gone ? "which has been removed"
                                            : cmd_size_print(figures->reading.pages[MN_METER_TOTAL], unit, size));
    cmd_style_append_shown(title, cmd_reader_get_place(reader), 0);
    cmd_style_append(line, CMD_COLOUR_BOLD, title->str);
    print_line(line);
    if (cmd_reader_get_lack(reader))
        printf("%s; 'memnotify serve' starts one, 'memnotify status --why' tells more.\n", cmd_reader_get_lack(reader));
    if (figures->is_simulated)
        puts("Simulated: these are not the real values; 'memnotify simulate reset' shows them.");
    putchar('\n');
}

static void print_table(const CmdReader *reader, const CmdFigures *figures, CmdUnit unit) {
    g_autoptr(GString) line = g_string_new(NULL);

    print_head(reader, figures, unit, line);
    if (!figures->is_gone)
        print_meters(figures, unit, line);
    print_limits(figures, unit, line);
    print_stalls(figures, line);
}

/* --- for programs --- */

static void print_json(const CmdReader *reader, const CmdFigures *figures) {
    static const char *const ways[] = { "files", "socket", "proc" };
    g_autoptr(JsonBuilder) builder = json_builder_new();

    json_builder_begin_object(builder);
    cmd_json_add_string(builder, "from", ways[cmd_reader_get_way(reader)]);
    cmd_json_add_string(builder, "place", cmd_reader_get_place(reader));
    cmd_json_add_string(builder, "whose", figures->is_of_group ? "cgroup" : "system");
    cmd_json_add_boolean(builder, "removed", figures->is_gone);
    cmd_json_add_boolean(builder, "simulated", figures->is_simulated);
    cmd_json_add_integer(builder, "page_bytes", cmd_page_bytes());
    cmd_figures_add_json(builder, figures);
    json_builder_end_object(builder);
    cmd_json_print(builder);
}

static int look_patiently(CmdReader *reader, const char *place, CmdFigures *ret) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(place);

    return cmd_reader_look(reader, ret);
}

static int status_run(char ***argv) {
    g_autoptr(CmdReader) reader = NULL;
    g_auto(CmdFigures) figures = { 0 };
    gboolean wants_why = FALSE;
    const GOptionEntry own[] = {
        { "why", 'w', 0, G_OPTION_ARG_NONE, &wants_why, "Say what hinders memnotifyfs, and what to do", NULL },
        { 0 },
    };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&cmd_status, own, 0, 0, argv, &options);
    int r;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (wants_why)
        return cmd_doctor_run(&options);
    r = cmd_reader_new(options.place, &reader);
    if (r != CMD_OK)
        return r;
    r = look_patiently(reader, options.place, &figures);
    if (r < 0)
        return cmd_client_fail_open(options.place, r);

    if (options.wants_json)
        print_json(reader, &figures);
    else
        print_table(reader, &figures, options.unit);
    return CMD_OK;
}

const CmdVerb cmd_status = {
    .name = "status",
    .summary = "what memory there is, limits and pressure",
    .prints = TRUE,
    .run = status_run,
};
