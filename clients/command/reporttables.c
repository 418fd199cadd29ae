/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "markup.h"
#include "reportpage.h"

/* --- what happened --- */

static void append_row(GString *page, const CmdIncident *incident, const CmdHappening *happening, const char *what,
                       const char *value, const char *limit) {
    g_autofree char *date = NULL;
    gint64 us = happening->event.time_us;

    if (happening->date_us > 0) {
        g_autoptr(GDateTime) local =
            g_date_time_new_from_unix_utc(happening->date_us / G_USEC_PER_SEC + cmd_report_offset_s(incident));

        date = g_date_time_format(local, "%F %T");
    }
    cmd_markup_append(page,
                      "<tr><td class=\"n\">%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT "</td><td>%s</td><td>%s</td>"
                      "<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
                      us / G_USEC_PER_SEC, us % G_USEC_PER_SEC, date ? date : "", what, value, limit);
}

static void append_happening(GString *page, const CmdIncident *incident, const CmdHappening *happening) {
    static const char *const words[] = {
        [MN_EVENT_LEFT] = "left",       [MN_EVENT_REACHED] = "reached",   [MN_EVENT_CHANGED] = "changed",
        [MN_EVENT_REMOVED] = "removed", [MN_EVENT_RETURNED] = "returned", [MN_EVENT_LOST] = "lost",
    };
    const MnEvent *event = &happening->event;
    gboolean is_of_a_meter = event->word <= MN_EVENT_CHANGED;
    char value[CMD_SIZE_BYTES], limit[CMD_SIZE_BYTES];
    g_autofree char *what = NULL;

    if (happening->oom_kills > 0) {
        g_autofree char *killed = g_strdup_printf("%" G_GUINT64_FORMAT, happening->oom_kills);

        append_row(page, incident, happening, "killed for want of memory (oom_kill)", killed, "");
        return;
    }
    what = is_of_a_meter ? g_strdup_printf("%s %s", mn_meters[event->meter].name, words[event->word])
                         : g_strdup_printf("group %s", words[event->word]);
    append_row(page, incident, happening, what,
               is_of_a_meter ? cmd_report_size(incident, event->value_pages, value) : "",
               is_of_a_meter ? cmd_report_size(incident, event->limit_pages, limit) : "");
}

void cmd_report_append_happenings(GString *page, const CmdIncident *incident) {
    guint n = incident->happenings->len, half = CMD_REPORT_LINES / 2;

    if (n == 0) {
        g_string_append(page, "<p>Nothing: no limit was reached or left.</p>\n");
        return;
    }
    cmd_markup_append(
        page, "<div class=\"wide\"><table id=\"%s-events\"><thead><tr><th scope=\"col\" class=\"n\">Seconds</th>",
        cmd_report_name(incident));
    g_string_append(page,
                    "<th scope=\"col\">Date</th><th scope=\"col\">What</th><th scope=\"col\" class=\"n\">Value</th>"
                    "<th scope=\"col\" class=\"n\">Limit, or before</th></tr></thead><tbody>\n");
    for (guint i = 0; i < n; i++) {
        if (n > CMD_REPORT_LINES && i == half) {
            i = n - half;
            cmd_markup_append(page, "<tr><td colspan=\"5\">%u more are left out here.</td></tr>\n", i - half);
        }
        append_happening(page, incident, &g_array_index(incident->happenings, CmdHappening, i));
    }
    g_string_append(page, "</tbody></table></div>\n");
}

/* --- what there was --- */

static void append_sizes(GString *page, const CmdIncident *incident, const guint64 *pages, guint n) {
    for (guint i = 0; i < n; i++) {
        char size[CMD_SIZE_BYTES];

        cmd_markup_append(page, "<td class=\"n\">%s</td>",
                          pages[i] == CMD_SERIES_NONE ? "" : cmd_report_size(incident, pages[i], size));
    }
}

void cmd_report_append_meters(GString *page, const CmdIncident *incident) {
    const char *name = cmd_report_name(incident);

    cmd_markup_append(page, "<div class=\"wide\"><table id=\"%s-meters\" data-of=\"%s\"><thead><tr>", name, name);
    g_string_append(page, "<th scope=\"col\">Meter</th><th scope=\"col\" class=\"n\">First</th>"
                          "<th scope=\"col\" class=\"n\">Lowest</th><th scope=\"col\" class=\"n\">Highest</th>"
                          "<th scope=\"col\" class=\"n\">Last</th><th scope=\"col\" class=\"n script\">At the line</th>"
                          "</tr></thead><tbody>\n");
    for (guint id = 0; id < MN_N_METERS; id++) {
        const guint64 pages[] = { incident->first.pages[id], cmd_series_find_lowest(&incident->series, id),
                                  cmd_series_find_highest(&incident->series, id), incident->last.pages[id] };

        if (!(incident->offered & MN_METER_BIT(id)))
            continue;
        cmd_markup_append(page, "<tr><th scope=\"row\" title=\"%s\">%s</th>", mn_meters[id].help, mn_meters[id].name);
        append_sizes(page, incident, pages, G_N_ELEMENTS(pages));
        cmd_markup_append(page, "<td class=\"n script\" data-value=\"%s\"></td></tr>\n", mn_meters[id].name);
    }
    g_string_append(page, "</tbody></table></div>\n");
}

static void append_grower(GString *page, const CmdIncident *incident, const CmdGrower *grower) {
    char first[CMD_SIZE_BYTES], last[CMD_SIZE_BYTES], peak[CMD_SIZE_BYTES];
    g_autofree char *seen = cmd_report_time(incident, grower->last_us);

    cmd_markup_append(page,
                      "<tr><td class=\"n\">%" G_GUINT64_FORMAT "</td><th scope=\"row\">%s</th><td class=\"n\">%s</td>"
                      "<td class=\"n\">%s</td><td class=\"n\">%s</td><td>%s</td></tr>\n",
                      grower->pid, grower->name, cmd_size_print_bytes(grower->first_bytes, first),
                      cmd_size_print_bytes(grower->peak_bytes, peak), cmd_size_print_bytes(grower->last_bytes, last),
                      seen);
}

void cmd_report_append_growers(GString *page, const CmdIncident *incident) {
    cmd_report_append_growers_chart(page, incident);
    g_string_append(page, "<div class=\"wide\"><table id=\"growers\"><thead><tr><th scope=\"col\" class=\"n\">PID</th>"
                          "<th scope=\"col\">Process</th><th scope=\"col\" class=\"n\">First</th>"
                          "<th scope=\"col\" class=\"n\">Peak</th><th scope=\"col\" class=\"n\">Last</th>"
                          "<th scope=\"col\">Seen last</th></tr></thead><tbody>\n");
    for (guint i = 0; i < incident->ranked->len; i++)
        append_grower(page, incident, g_ptr_array_index(incident->ranked, i));
    g_string_append(page, "</tbody></table></div>\n");
}
