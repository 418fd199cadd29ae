/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "figures.h"
#include "history.h"
#include "screen.h"

/* A meter over the last minutes, the newest at the right, with its limits as lines. */
typedef struct CmdGraph {
    MnMeterId meter;
    gint64 now_us;
    gint64 stretch_us; /* of time, in a column */
    gboolean is_zoomed;
} CmdGraph;

/* How many eighths of `rows` rows an amount fills, when `top` fills them all. */
guint cmd_graph_eighths(guint64 pages, guint64 top, guint rows);

/* What fills the graph that is zoomed: the smallest whole, or half or quarter of it and so on, that has room for `most`. */
guint64 cmd_graph_zoom(guint64 whole, guint64 most);

/* Draws it from that row on, in so many rows; the first is a title and the last an axis. */
void cmd_graph_put(const CmdGraph *self, const CmdScreen *screen, const CmdFigures *figures, const CmdHistory *history,
                   guint row, guint rows);
