/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* So many columns are kept at most, and at least half as many where there are more moments. A page of a machine and its group
 * whose values all jump has 1.2 MB then. */
#define CMD_SERIES_COLUMNS 1024

/* A value that there is not at a moment. */
#define CMD_SERIES_NONE G_MAXUINT64

/* What stands for all moments of a column: the last of them. */
#define CMD_SERIES_LAST G_MAXUINT

/* Some values over time, of any number of moments: each column is of those in a stretch of time, which becomes twice as long
 * when there are too many. Whatever was lowest or highest stays so. */
typedef struct CmdSeries {
    guint n_values;
    guint key; /* the moment in which this value is lowest stands for its column */
    gint64 width_us;
    guint n_columns; /* in order, without those that are empty */
    guint64 n_moments;
    struct CmdSeriesColumn *columns;
    guint64 *numbers;
} CmdSeries;

/* Of one moment that stands for a column. */
typedef struct CmdSeriesColumn {
    gint64 time_us;
    gint64 index; /* of its stretch of time */
} CmdSeriesColumn;

void cmd_series_init(CmdSeries *self, guint n_values, guint key);
void cmd_series_clear(CmdSeries *self);

/* Adds a moment. Times are 0 or more, and never go back. */
void cmd_series_add(CmdSeries *self, gint64 time_us, const guint64 *values);

/* Of a column: the values of its moment, and the lowest and highest of all that are known. */
const guint64 *cmd_series_get(const CmdSeries *self, guint column);
const guint64 *cmd_series_get_lowest(const CmdSeries *self, guint column);
const guint64 *cmd_series_get_highest(const CmdSeries *self, guint column);

/* The highest of all; 0 where none is known. And the lowest: CMD_SERIES_NONE. */
guint64 cmd_series_find_highest(const CmdSeries *self, guint value);
guint64 cmd_series_find_lowest(const CmdSeries *self, guint value);

/* Whether columns stand for several moments. */
gboolean cmd_series_is_reduced(const CmdSeries *self);
