/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each column has three rows of numbers, one after the other: those of its moment, the lowest and the highest. */
#include "series.h"

#include <string.h>

enum {
    ROW_MOMENT,
    ROW_LOWEST,
    ROW_HIGHEST,
    N_ROWS
};

static guint64 *row_of(const CmdSeries *self, guint column, guint row) {
    return self->numbers + ((gsize)column * N_ROWS + row) * self->n_values;
}

static gsize row_bytes(const CmdSeries *self) {
    return self->n_values * sizeof self->numbers[0];
}

void cmd_series_init(CmdSeries *self, guint n_values, guint key) {
    *self = (CmdSeries){ .n_values = n_values, .key = key, .width_us = 1 };
    self->columns = g_new(CmdSeriesColumn, CMD_SERIES_COLUMNS);
    self->numbers = g_new(guint64, (gsize)CMD_SERIES_COLUMNS * N_ROWS * n_values);
}

void cmd_series_clear(CmdSeries *self) {
    g_free(self->columns);
    g_free(self->numbers);
    *self = (CmdSeries){ 0 };
}

/* --- one column of two --- */

/* Of two moments, the earlier of which is `old`: is it the other that stands for both? */
static gboolean is_replaced(const CmdSeries *self, const guint64 *old, const guint64 *other) {
    return self->key == CMD_SERIES_LAST || other[self->key] < old[self->key];
}

static void take_bounds(const CmdSeries *self, guint column, const guint64 *lowest, const guint64 *highest) {
    guint64 *low = row_of(self, column, ROW_LOWEST), *high = row_of(self, column, ROW_HIGHEST);

    for (guint i = 0; i < self->n_values; i++) {
        low[i] = MIN(low[i], lowest[i]);
        if (highest[i] != CMD_SERIES_NONE && (high[i] == CMD_SERIES_NONE || highest[i] > high[i]))
            high[i] = highest[i];
    }
}

static void take_moment(CmdSeries *self, guint column, gint64 time_us, const guint64 *values) {
    self->columns[column].time_us = time_us;
    memcpy(row_of(self, column, ROW_MOMENT), values, row_bytes(self));
}

static void merge(CmdSeries *self, guint to, guint from) {
    const guint64 *values = row_of(self, from, ROW_MOMENT);

    if (is_replaced(self, row_of(self, to, ROW_MOMENT), values))
        take_moment(self, to, self->columns[from].time_us, values);
    take_bounds(self, to, row_of(self, from, ROW_LOWEST), row_of(self, from, ROW_HIGHEST));
}

static void widen(CmdSeries *self) {
    guint n = 0;

    self->width_us *= 2;
    for (guint i = 0; i < self->n_columns; i++) {
        gint64 index = self->columns[i].index / 2;

        if (n > 0 && self->columns[n - 1].index == index) {
            merge(self, n - 1, i);
            continue;
        }
        if (n != i) {
            self->columns[n] = self->columns[i];
            memcpy(row_of(self, n, 0), row_of(self, i, 0), N_ROWS * row_bytes(self));
        }
        self->columns[n++].index = index;
    }
    self->n_columns = n;
}

void cmd_series_add(CmdSeries *self, gint64 time_us, const guint64 *values) {
    guint last;

    while (time_us / self->width_us >= CMD_SERIES_COLUMNS)
        widen(self);
    self->n_moments++;
    last = self->n_columns - 1;
    g_assert(self->n_columns == 0 || self->columns[last].index <= time_us / self->width_us);
    if (self->n_columns > 0 && self->columns[last].index == time_us / self->width_us) {
        if (is_replaced(self, row_of(self, last, ROW_MOMENT), values))
            take_moment(self, last, time_us, values);
        take_bounds(self, last, values, values);
        return;
    }
    last = self->n_columns++;
    self->columns[last].index = time_us / self->width_us;
    take_moment(self, last, time_us, values);
    memcpy(row_of(self, last, ROW_LOWEST), values, row_bytes(self));
    memcpy(row_of(self, last, ROW_HIGHEST), values, row_bytes(self));
}

/* --- what there is --- */

const guint64 *cmd_series_get(const CmdSeries *self, guint column) {
    return row_of(self, column, ROW_MOMENT);
}

const guint64 *cmd_series_get_lowest(const CmdSeries *self, guint column) {
    return row_of(self, column, ROW_LOWEST);
}

const guint64 *cmd_series_get_highest(const CmdSeries *self, guint column) {
    return row_of(self, column, ROW_HIGHEST);
}

guint64 cmd_series_find_highest(const CmdSeries *self, guint value) {
    guint64 highest = 0;

    for (guint i = 0; i < self->n_columns; i++) {
        guint64 number = row_of(self, i, ROW_HIGHEST)[value];

        if (number != CMD_SERIES_NONE)
            highest = MAX(highest, number);
    }
    return highest;
}

guint64 cmd_series_find_lowest(const CmdSeries *self, guint value) {
    guint64 lowest = CMD_SERIES_NONE;

    for (guint i = 0; i < self->n_columns; i++)
        lowest = MIN(lowest, row_of(self, i, ROW_LOWEST)[value]);
    return lowest;
}

gboolean cmd_series_is_reduced(const CmdSeries *self) {
    return self->n_moments > self->n_columns;
}
