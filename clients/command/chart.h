/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "series.h"

/* One unit of a plot is so many of its height; its width is CMD_CHART_WIDTH. The page's script reckons by that, too. */
#define CMD_CHART_WIDTH 1000
#define CMD_CHART_HEIGHT 240

/* A chart of values over time, as SVG: as wide as the page, so that texts keep their size and only the plot is stretched. */
typedef struct CmdChart {
    GString *page;
    const char *id; /* of the page; and what its values are called there */
    const char *of;
    const char *title;
    const char *description;
    gint64 duration_us;
    gint64 date_us; /* local, of its beginning: what is local is said by that; 0: there is none */
    double top;     /* what fills it, in the unit of its values */
    double tick;    /* between two marks of the axis */
    guint64 bytes;  /* of one of them; 0: they are hundredths of a per cent */
} CmdChart;

/* What a layer shows of the values of a moment; CMD_SERIES_NONE for nothing. */
typedef guint64 (*CmdChartTake)(const guint64 *values, guint index);

/* Sets how high it is, so that so much has its place, and what is between two marks. */
void cmd_chart_scale(CmdChart *self, guint64 highest);

/* Begins with the axis of time. */
void cmd_chart_begin(const CmdChart *self);

/* What is below a line, of the moments that stand for columns. */
void cmd_chart_area(const CmdChart *self, const CmdSeries *series, const char *style, CmdChartTake take, guint index);

/* A line that goes to the lowest and the highest of each column. */
void cmd_chart_line(const CmdChart *self, const CmdSeries *series, const char *style, guint value);

/* Spots on it, one after the other: as many as there are make one path. */
void cmd_chart_begin_marks(const CmdChart *self, const char *style);
void cmd_chart_mark(const CmdChart *self, gint64 time_us, double value);
void cmd_chart_end_marks(const CmdChart *self);

/* A line from the top to the bottom. */
void cmd_chart_upright(const CmdChart *self, const char *style, gint64 time_us);

/* The layers are drawn: what comes from now on is not stretched. Adds the axis of values. */
void cmd_chart_end_plot(const CmdChart *self);

/* Words at the right end of a line. */
void cmd_chart_label(const CmdChart *self, const char *style, double value, const char *text);
void cmd_chart_end(const CmdChart *self);
