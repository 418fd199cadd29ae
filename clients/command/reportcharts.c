/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which charts there are of the memory of a machine or of a group, and of its processes. */
#include "chart.h"
#include "markup.h"
#include "parts.h"
#include "reportpage.h"

#include "core/number.h"

static const guint swap_meters =
    MN_METER_BIT(MN_METER_SWAP_TOTAL) | MN_METER_BIT(MN_METER_SWAP_FREE) | MN_METER_BIT(MN_METER_SWAP_USED);

typedef struct Builder {
    CmdChart chart;
    const CmdIncident *incident;
    char *id;
} Builder;

static void begin(Builder *self, GString *page, const CmdIncident *incident, const char *name, const char *heading) {
    const char *of = cmd_report_name(incident);

    *self = (Builder){ .incident = incident, .id = g_strdup_printf("%s-%s", of, name) };
    self->chart = (CmdChart){
        .page = page,
        .id = self->id,
        .of = of,
        .title = heading,
        .duration_us = incident->duration_us,
        .date_us = cmd_report_local_us(incident),
        .bytes = incident->page_bytes,
    };
    cmd_markup_append(page, "<figure data-of=\"%s\"><h3>%s</h3>\n", of, heading);
}

/* --- what is beside the plot --- */

static void begin_legend(const Builder *self) {
    cmd_chart_end(&self->chart);
    g_string_append(self->chart.page, "<ul class=\"legend\">");
}

static void append_key(const Builder *self, const char *shape, const char *style, const char *value, const char *text) {
    cmd_markup_append(self->chart.page,
                      "<li><svg class=\"key\" width=\"22\" height=\"12\" aria-hidden=\"true\"><path class=\"%s %s\" "
                      "d=\"%s\"/></svg>%s",
                      shape, style, g_str_equal(shape, "area") ? "M1 1H21V11H1z" : "M1 6H21", text);
    if (value)
        cmd_markup_append(self->chart.page, " <b data-value=\"%s\"></b>", value);
    g_string_append(self->chart.page, "</li>");
}

static void append_mark_key(const Builder *self, const char *style, const char *text) {
    cmd_markup_append(self->chart.page,
                      "<li><svg class=\"key\" width=\"22\" height=\"12\" aria-hidden=\"true\"><path class=\"mark %s\" "
                      "d=\"M11 6h0\"/>",
                      style);
    if (g_str_equal(style, "left"))
        g_string_append(self->chart.page, "<path class=\"mark hole\" d=\"M11 6h0\"/>");
    cmd_markup_append(self->chart.page, "</svg>%s</li>", text);
}

/* The plot is drawn, but for those who were killed. */
static void end_plot(const Builder *self) {
    const GArray *happenings = self->incident->happenings;
    gint64 last = -1;

    for (guint i = 0; i < happenings->len; i++) {
        const CmdHappening *happening = &g_array_index(happenings, CmdHappening, i);
        gint64 column = happening->event.time_us / self->incident->series.width_us;

        if (happening->oom_kills > 0 && column != last)
            cmd_chart_upright(&self->chart, "kill", happening->event.time_us);
        last = happening->oom_kills > 0 ? column : last;
    }
    cmd_chart_end_plot(&self->chart);
}

static void end(Builder *self) {
    if (self->incident->n_oom_kills > 0)
        append_key(self, "line", "kill", NULL, "process killed for want of memory");
    g_string_append(self->chart.page, "</ul></figure>\n");
    g_free(self->id);
}

/* --- limits --- */

static const MnLimit *limit_of(const CmdIncident *incident, MnMeterId meter) {
    for (guint i = 0; i < incident->limits.n; i++)
        if (incident->limits.limits[i].meter == meter)
            return &incident->limits.limits[i];
    return NULL;
}

/* Those (MN_METER_BIT()s) that have one. */
static guint limited(const CmdIncident *incident) {
    guint meters = 0;

    for (guint i = 0; i < incident->limits.n; i++)
        meters |= MN_METER_BIT(incident->limits.limits[i].meter);
    return meters;
}

/* One for each column of the series: more cannot be told apart. */
static void append_marks(const Builder *self, MnMeterId meter, MnEventWord word, const char *style) {
    const CmdIncident *incident = self->incident;
    gint64 last = -1;

    cmd_chart_begin_marks(&self->chart, style);
    for (guint i = 0; i < incident->happenings->len; i++) {
        const CmdHappening *happening = &g_array_index(incident->happenings, CmdHappening, i);
        const MnEvent *event = &happening->event;
        gint64 column = event->time_us / incident->series.width_us;

        if (happening->oom_kills > 0 || event->meter != meter || event->word != word || column == last)
            continue;
        last = column;
        cmd_chart_mark(&self->chart, event->time_us, (double)event->value_pages);
    }
    cmd_chart_end_marks(&self->chart);
}

static void append_crossings(const Builder *self, MnMeterId meter) {
    append_marks(self, meter, MN_EVENT_LEFT, "left");
    append_marks(self, meter, MN_EVENT_LEFT, "hole");
    append_marks(self, meter, MN_EVENT_REACHED, "reached");
}

static char *describe_limit(const CmdIncident *incident, const MnLimit *limit) {
    char size[CMD_SIZE_BYTES];
    guint64 pages = mn_limit_pages(limit, incident->last.pages[MN_METER_TOTAL]);

    return g_strdup_printf("%s %s %s", mn_meters[limit->meter].name, mn_op_names[limit->op],
                           cmd_report_size(incident, pages, size));
}

static void append_meters(const Builder *self, guint meters) {
    const CmdSeries *series = &self->incident->series;

    for (guint id = 0; id < MN_N_METERS; id++) {
        if (!(meters & MN_METER_BIT(id)))
            continue;
        if (limit_of(self->incident, id)) {
            g_autofree char *style = g_strdup_printf("limit %s", mn_meters[id].name);

            cmd_chart_line(&self->chart, series, style, CMD_VALUE_LIMITS + id);
        }
        cmd_chart_line(&self->chart, series, mn_meters[id].name, id);
        if (limit_of(self->incident, id))
            append_crossings(self, id);
    }
}

static void append_limit_labels(const Builder *self, guint meters) {
    for (guint i = 0; i < self->incident->limits.n; i++) {
        const MnLimit *limit = &self->incident->limits.limits[i];
        g_autofree char *text = describe_limit(self->incident, limit);

        if (meters & MN_METER_BIT(limit->meter))
            cmd_chart_label(&self->chart, mn_meters[limit->meter].name,
                            (double)mn_limit_pages(limit, self->incident->last.pages[MN_METER_TOTAL]), text);
    }
}

static void append_meter_keys(const Builder *self, guint meters) {
    for (guint id = 0; id < MN_N_METERS; id++)
        if (meters & MN_METER_BIT(id)) {
            g_autofree char *style = g_strdup_printf("limit %s", mn_meters[id].name);
            g_autofree char *text = g_strdup_printf("limit of %s", mn_meters[id].name);
            g_autofree char *value = g_strdup_printf("limit %s", mn_meters[id].name);

            append_key(self, "line", mn_meters[id].name, mn_meters[id].name, mn_meters[id].name);
            if (limit_of(self->incident, id))
                append_key(self, "line", style, value, text);
        }
    if (meters & limited(self->incident)) {
        append_mark_key(self, "reached", "limit reached");
        append_mark_key(self, "left", "limit left");
    }
}

static guint64 highest_of(const CmdIncident *incident, guint meters) {
    guint64 highest = 0;

    for (guint id = 0; id < MN_N_METERS; id++)
        if (meters & MN_METER_BIT(id)) {
            highest = MAX(highest, cmd_series_find_highest(&incident->series, id));
            highest = MAX(highest, cmd_series_find_highest(&incident->series, CMD_VALUE_LIMITS + id));
        }
    return highest;
}

/* --- the charts --- */

static void append_limited(GString *page, const CmdIncident *incident) {
    guint meters = (limited(incident) & ~swap_meters) | (incident->offered & MN_METER_BIT(MN_METER_AVAILABLE));
    Builder builder;

    if (incident->is_of_group)
        meters |= MN_METER_BIT(MN_METER_TOTAL);
    if (meters == 0)
        return;
    begin(&builder, page, incident, "limits", incident->is_of_group ? "What the group could get" : "Available memory");
    builder.chart.description =
        "Lines of the meters over time. Limits are dashed lines of the same colours; filled spots "
        "are where they were reached, and rings where they were left.";
    cmd_chart_scale(&builder.chart, highest_of(incident, meters));
    cmd_chart_begin(&builder.chart);
    append_meters(&builder, meters);
    end_plot(&builder);
    append_limit_labels(&builder, meters);
    begin_legend(&builder);
    append_meter_keys(&builder, meters);
    end(&builder);
}

/* What is below the upper end of a part. */
static guint64 take_parts(const guint64 *values, guint index) {
    guint64 pages = 0;

    if (values[MN_METER_TOTAL] == CMD_SERIES_NONE)
        return CMD_SERIES_NONE;
    for (guint part = 0; part <= index; part++)
        pages = mn_add(pages, cmd_part_pages(values, part));
    return pages;
}

static guint64 highest_whole(const CmdSeries *series) {
    guint64 highest = 0;

    for (guint i = 0; i < series->n_columns; i++) {
        const guint64 *values = cmd_series_get(series, i);

        if (values[MN_METER_TOTAL] != CMD_SERIES_NONE)
            highest = MAX(highest, cmd_part_whole(values));
    }
    return highest;
}

static void append_parts(GString *page, const CmdIncident *incident) {
    Builder builder;

    if (~incident->offered & CMD_PARTS_METERS & ~MN_METER_BIT(MN_METER_SWAP_TOTAL))
        return;
    begin(&builder, page, incident, "parts", "What memory was used for");
    builder.chart.description = "Areas one above the other, which together are all memory without swap.";
    cmd_chart_scale(&builder.chart, highest_whole(&incident->series));
    cmd_chart_begin(&builder.chart);
    for (guint part = CMD_N_PARTS; part-- > 0;)
        cmd_chart_area(&builder.chart, &incident->series, cmd_part_names[part], take_parts, part);
    end_plot(&builder);
    begin_legend(&builder);
    for (guint part = CMD_N_PARTS; part-- > 0;)
        append_key(&builder, "area", cmd_part_names[part], cmd_part_names[part], cmd_part_titles[part]);
    end(&builder);
}

static guint64 take_value(const guint64 *values, guint index) {
    return values[index];
}

static void append_swap(GString *page, const CmdIncident *incident) {
    guint meters = (limited(incident) & swap_meters) | MN_METER_BIT(MN_METER_SWAP_USED);
    Builder builder;

    if (!(incident->offered & MN_METER_BIT(MN_METER_SWAP_USED)) ||
        cmd_series_find_highest(&incident->series, MN_METER_SWAP_TOTAL) == 0)
        return;
    meters |= MN_METER_BIT(MN_METER_SWAP_TOTAL);
    begin(&builder, page, incident, "swap", "Swap");
    builder.chart.description = "The swap that was used, over time, and how much there was.";
    cmd_chart_scale(&builder.chart, highest_of(incident, meters));
    cmd_chart_begin(&builder.chart);
    cmd_chart_area(&builder.chart, &incident->series, "swap_used", take_value, MN_METER_SWAP_USED);
    append_meters(&builder, meters);
    end_plot(&builder);
    append_limit_labels(&builder, meters);
    begin_legend(&builder);
    append_meter_keys(&builder, meters);
    end(&builder);
}

static void append_stalls(GString *page, const CmdIncident *incident) {
    guint64 highest = cmd_series_find_highest(&incident->series, CMD_VALUE_STALLS + MN_STALL_SOME);
    Builder builder;

    if (!incident->has_stalls)
        return;
    begin(&builder, page, incident, "stalls", "Time in which tasks waited for memory");
    builder.chart.description =
        "Per cent of the time in which some tasks, and in which all of them, waited for memory.";
    builder.chart.bytes = 0;
    cmd_chart_scale(&builder.chart, MAX(highest, 500));
    cmd_chart_begin(&builder.chart);
    cmd_chart_area(&builder.chart, &incident->series, "some", take_value, CMD_VALUE_STALLS + MN_STALL_SOME);
    cmd_chart_line(&builder.chart, &incident->series, "some", CMD_VALUE_STALLS + MN_STALL_SOME);
    cmd_chart_line(&builder.chart, &incident->series, "full", CMD_VALUE_STALLS + MN_STALL_FULL);
    end_plot(&builder);
    begin_legend(&builder);
    append_key(&builder, "line", "some", "stall some", "some waited");
    append_key(&builder, "line", "full", "stall full", "all waited");
    end(&builder);
}

void cmd_report_append_charts(GString *page, const CmdIncident *incident) {
    append_limited(page, incident);
    append_parts(page, incident);
    append_swap(page, incident);
    append_stalls(page, incident);
}

void cmd_report_append_growers_chart(GString *page, const CmdIncident *incident) {
    guint64 highest = 0;
    Builder builder;

    begin(&builder, page, incident, "growers", "Processes that grew most");
    builder.chart.of = "processes";
    builder.chart.bytes = 1;
    builder.chart.description = "Memory and swap of each process over time, by the same colours and dashes as below.";
    for (guint i = 0; i < incident->ranked->len; i++)
        highest = MAX(highest, cmd_series_find_highest(&incident->processes, i));
    cmd_chart_scale(&builder.chart, highest);
    cmd_chart_begin(&builder.chart);
    for (guint i = 0; i < incident->ranked->len; i++) {
        g_autofree char *style = g_strdup_printf("grower-%u", i);

        cmd_chart_line(&builder.chart, &incident->processes, style, i);
    }
    end_plot(&builder);
    begin_legend(&builder);
    for (guint i = 0; i < incident->ranked->len; i++) {
        const CmdGrower *grower = g_ptr_array_index(incident->ranked, i);
        g_autofree char *style = g_strdup_printf("grower-%u", i);
        g_autofree char *value = g_strdup_printf("process %u", i);
        g_autofree char *text = g_strdup_printf("%s (%" G_GUINT64_FORMAT ")", grower->name, grower->pid);

        append_key(&builder, "line", style, value, text);
    }
    end(&builder);
}
