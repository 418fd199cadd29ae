/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of `report`: what was recorded, in a sentence and in charts and tables. Nothing is fetched, and nothing but its own
 * style and script is allowed. */
#include "reportpage.h"

#include "markup.h"
#include "parts.h"
#include "report-resources.h"

#include "core/number.h"

#include "config.h"

/* --- words --- */

const char *cmd_report_name(const CmdIncident *incident) {
    return incident->is_of_group ? "group" : "machine";
}

gint64 cmd_report_offset_s(const CmdIncident *incident) {
    g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(incident->first_date_us / G_USEC_PER_SEC);

    return incident->first_date_us > 0 && local ? g_date_time_get_utc_offset(local) / G_USEC_PER_SEC : 0;
}

gint64 cmd_report_local_us(const CmdIncident *incident) {
    return incident->first_date_us + cmd_report_offset_s(incident) * G_USEC_PER_SEC;
}

char *cmd_report_time(const CmdIncident *incident, gint64 time_us) {
    gint64 seconds = time_us / G_USEC_PER_SEC;
    g_autoptr(GDateTime) local =
        g_date_time_new_from_unix_utc((cmd_report_local_us(incident) + time_us) / G_USEC_PER_SEC);

    if (incident->first_date_us > 0 && local)
        return g_date_time_format(local, "%F %T");
    if (seconds >= 120)
        return g_strdup_printf("%" G_GINT64_FORMAT ":%02d:%02d h", seconds / 3600, (int)(seconds / 60 % 60),
                               (int)(seconds % 60));
    return g_strdup_printf("%" G_GINT64_FORMAT ".%d s", seconds, (int)(time_us % G_USEC_PER_SEC / 100000));
}

const char *cmd_report_size(const CmdIncident *incident, guint64 pages, char text[CMD_SIZE_BYTES]) {
    return cmd_size_print_bytes(mn_multiply(pages, incident->page_bytes), text);
}

static const char *plural(guint64 n) {
    return n == 1 ? "" : "s";
}

static char *describe_duration(gint64 us) {
    gint64 s = us / G_USEC_PER_SEC;

    if (s < 120)
        return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " s", s, us % G_USEC_PER_SEC / 100000);
    return s < 7200 ? g_strdup_printf("%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", s / 60, s % 60)
                    : g_strdup_printf("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", s / 3600, s / 60 % 60);
}

/* --- the head --- */

static char *get_resource(const char *path) {
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(cmd_report_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    gsize len;
    const char *text = g_bytes_get_data(bytes, &len);

    return g_strndup(text, len);
}

static void append_head(GString *page, const char *title, const char *script) {
    g_autofree char *style = get_resource("/report/report.css");
    g_autofree char *script_hash = cmd_markup_hash(script);
    g_autofree char *style_hash = cmd_markup_hash(style);

    cmd_markup_append(page,
                      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; "
                      "script-src %s; style-src %s; base-uri &#39;none&#39;; form-action &#39;none&#39;\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Memory report: %s</title>\n<style>",
                      script_hash, style_hash, title);
    g_string_append(page, style);
    g_string_append(page, "</style></head>\n<body>\n");
}

static void append_summary(GString *page, const CmdIncident *incident) {
    char lowest[CMD_SIZE_BYTES], whole[CMD_SIZE_BYTES];

    g_string_append(page, "<p class=\"summary\">");
    if (incident->lowest_pages != CMD_SERIES_NONE) {
        g_autofree char *when = cmd_report_time(incident, incident->lowest_us);
        guint64 pages = incident->lowest_of_pages;

        cmd_markup_append(page, "Available memory%s was lowest at <b>%s</b>: <b>%s</b>, ",
                          incident->is_of_group ? " of the group" : "", when,
                          cmd_report_size(incident, incident->lowest_pages, lowest));
        cmd_markup_append_number(page, pages > 0 ? (double)incident->lowest_pages * 100 / (double)pages : 0, 1);
        cmd_markup_append(page, " %% of %s; limits were reached ", cmd_report_size(incident, pages, whole));
    } else
        g_string_append(page, "Limits were reached ");
    cmd_markup_append(page, "<b>%" G_GUINT64_FORMAT "</b> time%s and left %" G_GUINT64_FORMAT, incident->n_reached,
                      plural(incident->n_reached), incident->n_left);
    if (incident->worst_stall_hundredths > 0) {
        g_autofree char *when = cmd_report_time(incident, incident->worst_stall_us);

        g_string_append(page, "; tasks waited for memory up to <b>");
        cmd_markup_append_number(page, (double)incident->worst_stall_hundredths / 100, 1);
        cmd_markup_append(page, " %%</b> of the time (%s)", when);
    }
    if (incident->n_oom_kills > 0)
        cmd_markup_append(page, "; the kernel killed <b>%" G_GUINT64_FORMAT "</b> process%s for want of memory",
                          incident->n_oom_kills, incident->n_oom_kills == 1 ? "" : "es");
    g_string_append(page, ".</p>\n");
}

static void append_fact(GString *page, const char *what, const char *text) {
    cmd_markup_append(page, "<div><dt>%s</dt><dd>%s</dd></div>", what, text);
}

static void append_span(GString *page, const CmdIncident *incident) {
    g_autofree char *from = cmd_report_time(incident, 0);
    g_autofree char *to = cmd_report_time(incident, incident->duration_us);
    g_autofree char *duration = describe_duration(incident->duration_us);
    g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, incident->series.n_moments);
    gint64 offset_min = cmd_report_offset_s(incident) / 60;
    g_autofree char *zone = g_strdup_printf("UTC%c%02d:%02d", offset_min < 0 ? '-' : '+', (int)ABS(offset_min) / 60,
                                            (int)ABS(offset_min) % 60);

    append_fact(page, "From", from);
    append_fact(page, "To", to);
    if (incident->first_date_us > 0)
        append_fact(page, "Times are", zone);
    append_fact(page, "Duration", duration);
    append_fact(page, "Moments", n);
}

static void append_facts(GString *page, const char *title, const CmdIncident *machine, const CmdIncident *group) {
    char memory[CMD_SIZE_BYTES], swap[CMD_SIZE_BYTES], page_size[CMD_SIZE_BYTES];

    g_string_append(page, "<dl>");
    append_fact(page, "File", title);
    append_span(page, machine);
    append_fact(page, "Memory", cmd_report_size(machine, cmd_part_whole(machine->first.pages), memory));
    append_fact(page, "Swap", cmd_report_size(machine, machine->first.pages[MN_METER_SWAP_TOTAL], swap));
    append_fact(page, "Page size", cmd_size_print_bytes(machine->page_bytes, page_size));
    if (group)
        append_fact(page, "Limits are of", "the control group that was recorded");
    g_string_append(page, "</dl>\n");
    if (machine->fault)
        cmd_markup_append(page,
                          "<p class=\"fault\">It does not end as it should: %s. What is before that is whole.</p>\n",
                          machine->fault);
}

/* --- the whole --- */

static void append_tools(GString *page) {
    g_string_append(page, "<div class=\"tools\" id=\"tools\" hidden><output id=\"time\">Point at a chart</output>"
                          "<span><button type=\"button\" id=\"in\" aria-label=\"Zoom in\">+</button>"
                          "<button type=\"button\" id=\"out\" aria-label=\"Zoom out\">&#8722;</button>"
                          "<button type=\"button\" id=\"all\">All</button></span>"
                          "<small>Drag to zoom; Ctrl and wheel; keys + &#8722; 0 and arrows</small></div>\n");
}

static void append_section(GString *page, const char *heading, void (*append)(GString *, const CmdIncident *),
                           const CmdIncident *incident) {
    cmd_markup_append(page, "<section><h2>%s</h2>\n", heading);
    append(page, incident);
    g_string_append(page, "</section>\n");
}

static void append_foot(GString *page, const CmdIncident *machine) {
    cmd_markup_append(page, "<footer><p>Made by memnotify %s.", MN_VERSION);
    if (cmd_series_is_reduced(&machine->series))
        cmd_markup_append(
            page,
            " There are more moments than a chart has columns: %" G_GUINT64_FORMAT " in %u. Lines go to the "
            "lowest and the highest value of each column; areas, and what is told at the line, are of the "
            "moment in it in which least memory was available. Crossings and summaries are of all moments.",
            machine->series.n_moments, machine->series.n_columns);
    g_string_append(page, "</p></footer>\n");
}

char *cmd_report_page(const char *title, const CmdIncident *machine, const CmdIncident *group) {
    const CmdIncident *shown = group ? group : machine;
    g_autofree char *script = get_resource("/report/report.js");
    g_autofree char *data = cmd_report_data(machine, group);
    GString *page = g_string_new(NULL);

    append_head(page, title, script);
    g_string_append(page, "<header><h1>Memory report</h1>\n");
    append_summary(page, shown);
    append_facts(page, title, machine, group);
    g_string_append(page, "</header>\n<main>\n");
    append_tools(page);
    if (group)
        append_section(page, "Memory of the control group", cmd_report_append_charts, group);
    append_section(page, "Memory of the machine", cmd_report_append_charts, machine);
    if (machine->ranked->len > 0)
        append_section(page, "Processes", cmd_report_append_growers, machine);
    append_section(page, "What happened", cmd_report_append_happenings, shown);
    append_section(page, group ? "Meters of the group" : "Meters", cmd_report_append_meters, shown);
    if (group)
        append_section(page, "Meters of the machine", cmd_report_append_meters, machine);
    g_string_append(page, "</main>\n");
    append_foot(page, machine);
    g_string_append(page, "<script type=\"application/json\" id=\"data\">");
    cmd_markup_append_json(page, data);
    g_string_append(page, "</script>\n<script>");
    g_string_append(page, script);
    g_string_append(page, "</script>\n</body></html>\n");
    return g_string_free(page, FALSE);
}
