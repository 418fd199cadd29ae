/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands on the screen of `top` around its graph. */
#include "panels.h"

#include "columns.h"

#include "core/number.h"
#include "core/text.h"

#include <string.h>

#define ALL G_MAXUINT       /* columns that there are */
#define BAR_COLUMNS_LEAST 5 /* with its brackets */
#define BAR_COLUMNS_MAX 60
#define NOTE_COLUMNS_LEAST 40 /* of a screen on which the note has room beside the title */
#define STALLS_COLUMNS 36
#define METER_COLUMNS 23 /* before its bar */

static const char *const keys[][3] = {
    { "q", "quit", "end" },
    { "m", "meter", "show another meter in the graph; so do the arrow keys" },
    { "z", "zoom", "let the graph begin at 0 and end where there is something to see" },
    { "p", "pause", "let everything stand still, and go on" },
    { "+-", "pace", "look more often, or less often" },
    { "r", "reset", "count the growth of processes from now on" },
    { "h", "help", "this" },
};

void cmd_panel_put_head(const CmdScreen *screen, const CmdFound *found, const char *note, guint row) {
    const CmdFigures *figures = &found->figures;
    guint note_columns = screen->columns >= NOTE_COLUMNS_LEAST ? (guint)strlen(note) : 0;
    char size[CMD_SIZE_BYTES];
    g_autofree char *title =
        g_strdup_printf("Memory of the %s, %s, from %s", figures->is_of_group ? "control group" : "machine",
                        figures->is_gone ? "which has been removed"
                                         : cmd_size_print(figures->reading.pages[MN_METER_TOTAL], CMD_UNIT_HUMAN, size),
                        found->place ? found->place : "");

    cmd_screen_put(screen, row, 0, screen->columns - MIN(note_columns + 2, screen->columns), CMD_COLOUR_BOLD, title);
    cmd_screen_put(screen, row, screen->columns - note_columns, note_columns, CMD_COLOUR_NONE, note);
}

/* --- state --- */

static void put_meter(const CmdScreen *screen, const CmdFigures *figures, MnMeterId meter, guint row, guint columns) {
    double share = cmd_figures_share(figures, meter);
    char size[CMD_SIZE_BYTES];
    g_autofree char *text =
        g_strdup_printf("%-10s %6s %3.0f%%", mn_meters[meter].name,
                        cmd_size_print(figures->reading.pages[meter], CMD_UNIT_HUMAN, size), share * 100);
    g_autoptr(GString) bar = g_string_new(NULL);

    cmd_screen_put(screen, row, 0, columns, CMD_COLOUR_NONE, text);
    if (columns < METER_COLUMNS + BAR_COLUMNS_LEAST)
        return;
    columns -= METER_COLUMNS + 2;
    cmd_style_append_blocks(bar, share, columns);
    cmd_screen_draw(screen, row, METER_COLUMNS, CMD_COLOUR_NONE, "[");
    cmd_screen_draw(screen, row, METER_COLUMNS + 1, cmd_style_of_meter(meter, share), bar->str);
    cmd_screen_draw(screen, row, METER_COLUMNS + 1 + columns, CMD_COLOUR_NONE, "]");
}

static void put_stall(const CmdScreen *screen, const CmdFigures *figures, MnStallKind kind, guint row, guint column) {
    const MnStall *stall = &figures->stalls.lines[kind];

    column = cmd_screen_put(screen, row, column, ALL, CMD_COLOUR_NONE,
                            kind == MN_STALL_SOME ? "  some wait" : "  all wait ");
    for (guint i = 0; i < MN_N_STALL_AVERAGES; i++) {
        g_autofree char *number = g_strdup_printf("%7.2f%%", stall->hundredths[i] / 100.0);

        column = cmd_screen_put(screen, row, column, ALL, cmd_style_of_stall(stall->hundredths[i]), number);
    }
}

void cmd_panel_put_state(const CmdScreen *screen, const CmdFound *found, guint row, guint rows) {
    static const MnMeterId meters[CMD_PANEL_STATE_ROWS] = { MN_METER_AVAILABLE, MN_METER_USED, MN_METER_SWAP_USED };
    const CmdFigures *figures = &found->figures;
    gboolean has_stalls = figures->has_stalls && screen->columns >= METER_COLUMNS + 3 + STALLS_COLUMNS;
    guint columns = MIN(screen->columns - (has_stalls ? STALLS_COLUMNS : 0), METER_COLUMNS + BAR_COLUMNS_MAX);

    for (guint i = 0; i < MIN(rows, G_N_ELEMENTS(meters)); i++) {
        if (meters[i] == MN_METER_SWAP_USED && figures->reading.pages[MN_METER_SWAP_TOTAL] == 0)
            cmd_screen_put(screen, row + i, 0, columns, CMD_COLOUR_DIM, "there is no swap");
        else if (figures->offered & MN_METER_BIT(meters[i]))
            put_meter(screen, figures, meters[i], row + i, columns);
        if (has_stalls && i == 0)
            cmd_screen_put(screen, row, columns, ALL, CMD_COLOUR_BOLD, "  pressure      10 s    60 s   300 s");
        else if (has_stalls)
            put_stall(screen, figures, i == 1 ? MN_STALL_SOME : MN_STALL_FULL, row + i, columns);
    }
}

/* --- limits --- */

static void append_reached(const CmdNamedLimit *limit, GString *text) {
    char size[CMD_SIZE_BYTES];

    g_string_append_printf(text, "%s%s (%s %s %s)", text->len > 0 ? ", " : "", limit->threshold,
                           mn_meters[limit->meter].name, mn_op_names[limit->op],
                           cmd_size_print(limit->limit_pages, CMD_UNIT_HUMAN, size));
}

static void put_reached(const CmdScreen *screen, const CmdFigures *figures, guint row) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *title =
        g_strdup_printf("%u limit%s: ", figures->limits->len, figures->limits->len == 1 ? "" : "s");
    guint column = cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_BOLD, title);

    for (guint i = 0; i < figures->limits->len; i++)
        if (g_array_index(figures->limits, CmdNamedLimit, i).is_reached)
            append_reached(&g_array_index(figures->limits, CmdNamedLimit, i), text);
    if (text->len > 0)
        column = cmd_screen_put(screen, row, column, ALL, CMD_COLOUR_RED, "reached: ");
    cmd_screen_put(screen, row, column, ALL, CMD_COLOUR_NONE, text->len > 0 ? text->str : "none is reached");
}

void cmd_panel_put_limits(const CmdScreen *screen, const CmdFound *found, const char *warning, guint row) {
    if (warning || found->lack)
        cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_RED, warning ? warning : found->lack);
    else if (!found->figures.limits)
        cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_DIM, "a server without files does not tell of limits");
    else if (found->figures.limits->len == 0)
        cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_DIM, "no limit is named in thresholds/");
    else
        put_reached(screen, &found->figures, row);
}

/* --- lists --- */

void cmd_panel_put_events(const CmdScreen *screen, GQueue *events, guint row, guint rows) {
    const GList *at = events->tail;

    if (rows < 2)
        return;
    cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_BOLD, "Events");
    if (!at)
        cmd_screen_put(screen, row + 1, 2, ALL, CMD_COLOUR_DIM, "none since the start");
    for (guint i = 1; at && i < rows; i++, at = at->prev) {
        const CmdEvent *event = at->data;
        g_autoptr(GString) line = g_string_new(NULL);

        cmd_event_append(event, CMD_UNIT_HUMAN, line);
        cmd_screen_put(screen, row + i, 2, ALL,
                       event->what.kind == MEMNOTIFYFS_REACHED ? CMD_COLOUR_RED : CMD_COLOUR_NONE, line->str);
    }
}

static void append_growth(GString *line, guint64 pages, guint64 first_pages) {
    char size[CMD_SIZE_BYTES], growth[CMD_SIZE_BYTES + 1];
    guint64 more = MAX(pages, first_pages) - MIN(pages, first_pages);

    g_snprintf(growth, sizeof growth, "%s%s",
               pages == first_pages  ? ""
               : pages > first_pages ? "+"
                                     : "-",
               cmd_size_print(more, CMD_UNIT_HUMAN, size));
    g_string_append_printf(line, "  %7s", cmd_size_print(pages, CMD_UNIT_HUMAN, size));
    g_string_append_printf(line, " %7s", growth);
}

void cmd_panel_put_processes(const CmdScreen *screen, const CmdGrown *processes, guint n, guint row) {
    cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_BOLD, "Grown       RSS  growth     Swap  growth  Process");
    if (n == 0)
        cmd_screen_put(screen, row + 1, 2, ALL, CMD_COLOUR_DIM, "none has grown yet");
    for (guint i = 0; i < n; i++) {
        const CmdGrown *process = &processes[i];
        g_autoptr(GString) line = g_string_new(NULL);

        g_string_append_printf(line, "%7d", process->pid);
        append_growth(line, process->rss_pages, process->first_rss_pages);
        append_growth(line, process->swap_pages, process->first_swap_pages);
        g_string_append_printf(line, "  %s", process->comm);
        cmd_screen_put(screen, row + 1 + i, 0, ALL, CMD_COLOUR_NONE, line->str);
    }
}

/* --- keys --- */

void cmd_panel_put_keys(const CmdScreen *screen, guint row) {
    guint column = 0;

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        column = cmd_screen_put(screen, row, column, ALL, CMD_INK_REVERSED, keys[i][0]);
        column = cmd_screen_put(screen, row, column + 1, ALL, CMD_COLOUR_NONE, keys[i][1]) + 2;
    }
}

void cmd_panel_put_help(const CmdScreen *screen, guint row, guint rows) {
    cmd_screen_put(screen, row, 0, ALL, CMD_COLOUR_BOLD, "Keys");
    for (guint i = 0; i < G_N_ELEMENTS(keys) && i + 1 < rows; i++) {
        cmd_screen_put(screen, row + 1 + i, 2, ALL, CMD_COLOUR_BOLD, keys[i][0]);
        cmd_screen_put(screen, row + 1 + i, 5, ALL, CMD_COLOUR_NONE, keys[i][2]);
    }
}
