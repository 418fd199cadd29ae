/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* used 9.1G of 23.5G, 39%  Memory and swap that cannot be had without giving something up.
 *  23.5G            ▂▄▆
 *                 ▄▆███
 *  14.1G ─ high >=12.0G ──────────
 *        ▆▆▆▆▆▆▆▆▆▆██████▆▆▆▆▆▆▆▆
 *        ████████████████████████
 *        -46s                 now */
#include "graph.h"

#include "size.h"

#include "core/number.h"

#include <string.h>

#define AXIS_COLUMNS 7
#define ROWS_LEAST 3

/* What is drawn, and with what. */
typedef struct Canvas {
    const CmdGraph *graph;
    const CmdScreen *screen;
    const CmdFigures *figures;
    guint64 top; /* what the highest row reaches */
    guint first_row;
    guint n_rows;
    guint n; /* columns */
    CmdStretch *stretches;
} Canvas;

guint cmd_graph_eighths(guint64 pages, guint64 top, guint rows) {
    if (top == 0)
        return 0;
    return (guint)MIN((double)pages / (double)top * rows * 8 + 0.5, rows * 8.0);
}

guint64 cmd_graph_zoom(guint64 whole, guint64 most) {
    while (whole / 2 >= most && whole >= 2)
        whole /= 2;
    return whole;
}

/* Of meters of which one is to have much, the lowest tells, and of the others the highest. */
static guint64 value_of(MnMeterId meter, const CmdStretch *stretch) {
    gboolean is_of_plenty = meter == MN_METER_AVAILABLE || meter == MN_METER_FREE || meter == MN_METER_SWAP_FREE;

    return is_of_plenty ? stretch->lowest : stretch->highest;
}

static const CmdNamedLimit *limit_at(const CmdFigures *figures, guint i) {
    return &g_array_index(figures->limits, CmdNamedLimit, i);
}

static guint n_limits(const CmdFigures *figures) {
    return figures->limits ? figures->limits->len : 0;
}

static guint64 choose_top(const Canvas *self) {
    guint64 whole = cmd_figures_get_whole(self->figures, self->graph->meter), most = 1;

    if (!self->graph->is_zoomed)
        return whole;
    for (guint i = 0; i < self->n; i++)
        most = MAX(most, self->stretches[i].highest);
    for (guint i = 0; i < n_limits(self->figures); i++)
        if (limit_at(self->figures, i)->meter == self->graph->meter)
            most = MAX(most, limit_at(self->figures, i)->limit_pages);
    return cmd_graph_zoom(whole, most);
}

/* --- bars --- */

/* From an empty cell to a full one. */
static const char *cell_of(const Canvas *self, guint eighths) {
    static const char *const cells[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

    if (self->screen->has_utf8)
        return cells[eighths];
    return eighths >= 4 ? "#" : " ";
}

/* The part of a column that is in a row, counted from the bottom. */
static guint part_of(const Canvas *self, guint column, guint row) {
    const CmdStretch *stretch = &self->stretches[self->n - 1 - column];
    guint filled;

    if (!stretch->is_known)
        return 0;
    filled = cmd_graph_eighths(value_of(self->graph->meter, stretch), self->top, self->n_rows);
    return CLAMP((int)filled - (int)row * 8, 0, 8);
}

static CmdColour ink_of(const Canvas *self, guint column) {
    const CmdStretch *stretch = &self->stretches[self->n - 1 - column];
    guint64 whole = cmd_figures_get_whole(self->figures, self->graph->meter);
    guint64 value = value_of(self->graph->meter, stretch);

    return whole == 0 ? CMD_COLOUR_NONE : cmd_style_of_meter(self->graph->meter, (double)value / (double)whole);
}

/* Where a line is drawn, it stands out from the bars that it crosses by being cut out of them. */
static void put_row(const Canvas *self, guint row, guint screen_row, gboolean has_line, CmdColour line_ink) {
    g_autoptr(GString) run = g_string_new(NULL);
    guint start = 0, ink = 0;

    for (guint column = 0; column < self->n; column++) {
        guint part = part_of(self, column, row);
        gboolean is_bar = part >= 4 || !has_line;
        guint wanted = !is_bar                              ? line_ink
                       : has_line && self->screen->has_utf8 ? ink_of(self, column) | CMD_INK_REVERSED
                                                            : ink_of(self, column);

        if (wanted != ink && run->len > 0) {
            cmd_screen_draw(self->screen, screen_row, AXIS_COLUMNS + start, ink, run->str);
            g_string_truncate(run, 0);
            start = column;
        }
        ink = wanted;
        g_string_append(run, !has_line ? cell_of(self, part) : self->screen->has_utf8 ? "─" : "-");
    }
    cmd_screen_draw(self->screen, screen_row, AXIS_COLUMNS + start, ink, run->str);
}

/* --- limits --- */

/* The row from the bottom whose upper half, or the lower half of the next, it would be seen in. */
static guint row_of(const Canvas *self, guint64 pages) {
    return MIN(cmd_graph_eighths(pages, self->top, self->n_rows) / 8, self->n_rows - 1);
}

static void append_limit(const CmdNamedLimit *limit, GString *label) {
    char size[CMD_SIZE_BYTES];

    g_string_append_printf(label, "%s%s %s%s", label->len > 0 ? ", " : " ", limit->threshold, mn_op_names[limit->op],
                           cmd_size_print(limit->limit_pages, CMD_UNIT_HUMAN, size));
}

/* All limits of the meter that lie in the row. */
static gboolean collect_limits(const Canvas *self, guint row, GString *label, CmdColour *ret_ink) {
    *ret_ink = CMD_COLOUR_YELLOW;
    for (guint i = 0; i < n_limits(self->figures); i++) {
        const CmdNamedLimit *limit = limit_at(self->figures, i);

        if (limit->meter != self->graph->meter || row_of(self, limit->limit_pages) != row)
            continue;
        append_limit(limit, label);
        if (limit->is_reached)
            *ret_ink = CMD_COLOUR_RED;
    }
    if (label->len > 0)
        g_string_append_c(label, ' ');
    return label->len > 0;
}

/* --- all of it --- */

static void put_axis(const Canvas *self, guint row, guint screen_row) {
    g_autofree char *label = NULL;
    char size[CMD_SIZE_BYTES];
    guint64 pages = self->top / self->n_rows * (row + 1);

    if (row + 1 == self->n_rows)
        pages = self->top;
    else if (row + 1 != (self->n_rows + 1) / 2)
        return;
    label = g_strdup_printf("%*s", AXIS_COLUMNS - 1, cmd_size_print(pages, CMD_UNIT_HUMAN, size));
    cmd_screen_put(self->screen, screen_row, 0, AXIS_COLUMNS, CMD_COLOUR_DIM, label);
}

static void put_times(const Canvas *self, guint screen_row) {
    guint seconds = (guint)((self->n - 1) * self->graph->stretch_us / G_USEC_PER_SEC);
    g_autofree char *span = seconds < 60     ? g_strdup_printf("-%us", seconds)
                            : seconds < 3600 ? g_strdup_printf("-%um%02us", seconds / 60, seconds % 60)
                                             : g_strdup_printf("-%uh%02um", seconds / 3600, seconds / 60 % 60);

    cmd_screen_put(self->screen, screen_row, AXIS_COLUMNS, self->n, CMD_COLOUR_DIM, span);
    if (self->n > strlen(span) + 4)
        cmd_screen_put(self->screen, screen_row, AXIS_COLUMNS + self->n - 3, 3, CMD_COLOUR_DIM, "now");
}

static void put_title(const Canvas *self, guint screen_row) {
    const CmdFigures *figures = self->figures;
    MnMeterId meter = self->graph->meter;
    char size[CMD_SIZE_BYTES], whole[CMD_SIZE_BYTES];
    g_autofree char *text =
        g_strdup_printf("%s of %s, %.0f%%", cmd_size_print(figures->reading.pages[meter], CMD_UNIT_HUMAN, size),
                        cmd_size_print(cmd_figures_get_whole(figures, meter), CMD_UNIT_HUMAN, whole),
                        cmd_figures_share(figures, meter) * 100);
    guint column = cmd_screen_put(self->screen, screen_row, 0, G_MAXUINT, CMD_COLOUR_BOLD, mn_meters[meter].name);

    column = cmd_screen_put(self->screen, screen_row, column + 1, G_MAXUINT, CMD_COLOUR_NONE, text);
    cmd_screen_put(self->screen, screen_row, column + 2, G_MAXUINT, CMD_COLOUR_DIM, mn_meters[meter].help);
}

void cmd_graph_put(const CmdGraph *self, const CmdScreen *screen, const CmdFigures *figures, const CmdHistory *history,
                   guint row, guint rows) {
    Canvas canvas = { .graph = self, .screen = screen, .figures = figures, .first_row = row + 1 };
    g_autofree CmdStretch *stretches = NULL;

    if (rows < ROWS_LEAST || screen->columns <= AXIS_COLUMNS)
        return;
    canvas.n_rows = rows - 2;
    canvas.n = MIN(screen->columns - AXIS_COLUMNS, CMD_HISTORY_MAX);
    canvas.stretches = stretches = g_new(CmdStretch, canvas.n);
    cmd_history_get(history, self->meter, self->now_us, self->stretch_us, canvas.n, stretches);
    canvas.top = choose_top(&canvas);

    put_title(&canvas, row);
    for (guint i = 0; i < canvas.n_rows; i++) {
        guint screen_row = canvas.first_row + canvas.n_rows - 1 - i;
        g_autoptr(GString) label = g_string_new(NULL);
        CmdColour ink;
        gboolean has_line = collect_limits(&canvas, i, label, &ink);

        put_axis(&canvas, i, screen_row);
        put_row(&canvas, i, screen_row, has_line, ink);
        cmd_screen_put(screen, screen_row, AXIS_COLUMNS + 2, MAX(canvas.n, 2) - 2, ink, label->str);
    }
    put_times(&canvas, row + rows - 1);
}
