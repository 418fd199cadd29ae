/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chart.h"

#include "markup.h"
#include "size.h"
#include "ticks.h"

#define TICKS 5
#define AXIS_HEIGHT 22
#define DAY_S 86400
#define EDGE 0.03 /* of the width, in which the middle of a label has no place */

/* --- places --- */

static double x_of(const CmdChart *self, gint64 time_us) {
    return (double)time_us * CMD_CHART_WIDTH / (double)MAX(self->duration_us, 1);
}

static double y_of(const CmdChart *self, double value) {
    return CMD_CHART_HEIGHT * (1 - CLAMP(value / self->top, 0, 1));
}

static void append_point(const CmdChart *self, char command, double x, double y) {
    g_string_append_c(self->page, command);
    cmd_markup_append_number(self->page, x, 2);
    g_string_append_c(self->page, ' ');
    cmd_markup_append_number(self->page, y, 1);
}

/* A twelfth is left above it. Texts may have numbers that no machine has. */
void cmd_chart_scale(CmdChart *self, guint64 highest) {
    guint64 unit = MAX(self->bytes, 1), bytes = MIN(highest, G_MAXUINT64 / 2 / unit) * unit;

    bytes += bytes / 12;
    self->tick = (double)(self->bytes > 0 ? cmd_ticks_of_bytes(bytes, TICKS) : cmd_ticks_of_number(bytes, TICKS));
    self->tick /= (double)unit;
    self->top = MAX((double)bytes / (double)unit, self->tick);
}

/* --- axes --- */

/* "1.5G", whatever the zeros. */
static void append_value(const CmdChart *self, double value, GString *text) {
    char size[CMD_SIZE_BYTES], *end;
    double number;

    if (self->bytes == 0) {
        cmd_markup_append_number(text, value / 100, 2);
        g_string_append(text, " %");
        return;
    }
    cmd_size_print_bytes((guint64)(value * (double)self->bytes), size);
    number = g_ascii_strtod(size, &end);
    cmd_markup_append_number(text, number, 2);
    g_string_append(text, end);
}

static void append_value_axis(const CmdChart *self) {
    g_string_append(self->page, "<g class=\"values\">");
    for (guint i = 1; i * self->tick <= self->top; i++) {
        g_autoptr(GString) label = g_string_new(NULL);
        double value = i * self->tick, y = y_of(self, value);

        append_value(self, value, label);
        cmd_markup_append(self->page, "<line x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>", (int)y, (int)y);
        cmd_markup_append(self->page, "<text x=\"4\" y=\"%d\">%s</text>", (int)y + 13, label->str);
    }
    g_string_append(self->page, "</g>");
}

static void append_time(const CmdChart *self, gint64 local_s, gint64 step_s) {
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(local_s);
    g_autofree char *text = NULL;

    if (self->date_us == 0 && step_s < 60)
        text = g_strdup_printf("%" G_GINT64_FORMAT " s", local_s);
    else if (self->date_us == 0)
        text = g_strdup_printf("%" G_GINT64_FORMAT ":%02d h", local_s / 3600, (int)(local_s / 60 % 60));
    else
        text = g_date_time_format(date, step_s >= DAY_S ? "%m-%d" : step_s >= 60 ? "%H:%M" : "%T");
    g_string_append(self->page, text);
}

/* At whole minutes, hours and days of local time. */
static void append_time_axis(const CmdChart *self) {
    gint64 step_s = cmd_ticks_of_seconds(self->duration_us / G_USEC_PER_SEC, TICKS);
    gint64 first_s = (self->date_us / G_USEC_PER_SEC / step_s + 1) * step_s;

    g_string_append(self->page, "<g class=\"times\">");
    for (gint64 at_s = first_s;; at_s += step_s) {
        double share = x_of(self, at_s * G_USEC_PER_SEC - self->date_us) / CMD_CHART_WIDTH;

        if (share > 1 - EDGE)
            break;
        if (share < EDGE)
            continue;
        for (guint i = 0; i < 2; i++) {
            g_string_append(self->page, i == 0 ? "<line x1=\"" : "\" x2=\"");
            cmd_markup_append_number(self->page, share * 100, 3);
            g_string_append_c(self->page, '%');
        }
        cmd_markup_append(self->page, "\" y1=\"0\" y2=\"%d\"/><text x=\"", CMD_CHART_HEIGHT);
        cmd_markup_append_number(self->page, share * 100, 3);
        cmd_markup_append(self->page, "%%\" y=\"%d\">", CMD_CHART_HEIGHT + AXIS_HEIGHT - 6);
        append_time(self, at_s, step_s);
        g_string_append(self->page, "</text>");
    }
    g_string_append(self->page, "</g>");
}

void cmd_chart_begin(const CmdChart *self) {
    cmd_markup_append(self->page,
                      "<svg class=\"chart\" id=\"%s\" data-of=\"%s\" role=\"img\" tabindex=\"0\" width=\"100%%\" "
                      "height=\"%d\" aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">%s</title>"
                      "<desc id=\"%s-desc\">%s</desc>",
                      self->id, self->of, CMD_CHART_HEIGHT + AXIS_HEIGHT, self->id, self->id, self->id, self->title,
                      self->id, self->description);
    append_time_axis(self);
    cmd_markup_append(self->page,
                      "<svg class=\"plot\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                      "preserveAspectRatio=\"none\">",
                      CMD_CHART_HEIGHT, CMD_CHART_WIDTH, CMD_CHART_HEIGHT);
}

/* --- layers --- */

static void end_area(const CmdChart *self, double from_x, double to_x) {
    append_point(self, 'L', to_x, CMD_CHART_HEIGHT);
    append_point(self, 'L', from_x, CMD_CHART_HEIGHT);
    g_string_append_c(self->page, 'z');
}

void cmd_chart_area(const CmdChart *self, const CmdSeries *series, const char *style, CmdChartTake take, guint index) {
    gboolean is_open = FALSE;
    double from_x = 0, x = 0;

    cmd_markup_append(self->page, "<path class=\"area %s\" d=\"", style);
    for (guint i = 0; i < series->n_columns; i++) {
        guint64 value = take(cmd_series_get(series, i), index);

        if (value == CMD_SERIES_NONE) {
            if (is_open)
                end_area(self, from_x, x);
            is_open = FALSE;
            continue;
        }
        x = x_of(self, series->columns[i].time_us);
        if (!is_open)
            from_x = x;
        append_point(self, is_open ? 'L' : 'M', x, y_of(self, (double)value));
        is_open = TRUE;
    }
    if (is_open)
        end_area(self, from_x, x);
    g_string_append(self->page, "\"/>");
}

void cmd_chart_line(const CmdChart *self, const CmdSeries *series, const char *style, guint value) {
    gboolean is_open = FALSE;

    cmd_markup_append(self->page, "<path class=\"line %s\" d=\"", style);
    for (guint i = 0; i < series->n_columns; i++) {
        guint64 lowest = cmd_series_get_lowest(series, i)[value], highest = cmd_series_get_highest(series, i)[value];
        double x = x_of(self, series->columns[i].time_us);

        if (lowest == CMD_SERIES_NONE) {
            is_open = FALSE;
            continue;
        }
        append_point(self, is_open ? 'L' : 'M', x, y_of(self, (double)highest));
        if (lowest < highest || !is_open)
            append_point(self, 'L', x, y_of(self, (double)lowest));
        is_open = TRUE;
    }
    g_string_append(self->page, "\"/>");
}

void cmd_chart_begin_marks(const CmdChart *self, const char *style) {
    cmd_markup_append(self->page, "<path class=\"mark %s\" d=\"", style);
}

/* A line of no length with round ends stays round where the plot is stretched. */
void cmd_chart_mark(const CmdChart *self, gint64 time_us, double value) {
    append_point(self, 'M', x_of(self, time_us), y_of(self, value));
    g_string_append(self->page, "h0");
}

void cmd_chart_end_marks(const CmdChart *self) {
    g_string_append(self->page, "\"/>");
}

void cmd_chart_upright(const CmdChart *self, const char *style, gint64 time_us) {
    cmd_markup_append(self->page, "<path class=\"line %s\" d=\"", style);
    append_point(self, 'M', x_of(self, time_us), 0);
    cmd_markup_append(self->page, "v%d\"/>", CMD_CHART_HEIGHT);
}

void cmd_chart_end_plot(const CmdChart *self) {
    g_string_append(self->page, "</svg>");
    append_value_axis(self);
}

void cmd_chart_label(const CmdChart *self, const char *style, double value, const char *text) {
    int y = (int)y_of(self, value);

    cmd_markup_append(self->page, "<text class=\"label %s\" x=\"100%%\" y=\"%d\">%s</text>", style,
                      y > 16 ? y - 5 : y + 14, text);
}

void cmd_chart_end(const CmdChart *self) {
    g_string_append(self->page, "</svg>\n");
}
