/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The screen of `top` as a whole. */
#include "display.h"

#include "duration.h"
#include "graph.h"
#include "panels.h"

#include <errno.h>

#define EVENTS_MAX 100

/* Below this a graph says less than a list. With its title and its axis. */
#define GRAPH_ROWS_LEAST 5

int cmd_display_init(CmdDisplay *self, gint64 delay_us) {
    *self = (CmdDisplay){ .delay_us = delay_us, .meter = MN_METER_AVAILABLE };
    cmd_history_init(&self->history);
    g_queue_init(&self->events);
    return cmd_processes_new(&self->processes);
}

void cmd_display_clear(CmdDisplay *self) {
    cmd_found_clear(&self->found);
    cmd_history_clear(&self->history);
    g_queue_clear_full(&self->events, g_free);
    g_clear_pointer(&self->processes, cmd_processes_free);
}

static gboolean has_something(const CmdDisplay *self, MnMeterId meter) {
    const CmdFigures *figures = &self->found.figures;

    return meter != MN_METER_TOTAL && meter != MN_METER_SWAP_TOTAL && (figures->offered & MN_METER_BIT(meter)) != 0 &&
           cmd_figures_get_whole(figures, meter) > 0;
}

void cmd_display_turn(CmdDisplay *self, gboolean is_back) {
    for (guint i = 1; i <= MN_N_METERS; i++) {
        guint meter = (self->meter + (is_back ? MN_N_METERS - i : i)) % MN_N_METERS;

        if (has_something(self, meter)) {
            self->meter = meter;
            return;
        }
    }
}

/* A group that is gone has no figures: what it had stays, and so it does while a server is away. */
void cmd_display_take(CmdDisplay *self, CmdFound *found, gint64 time_us) {
    CmdFigures *figures = &self->found.figures;

    if (found->has_figures) {
        cmd_figures_clear(figures);
        *figures = found->figures;
        found->figures = (CmdFigures){ 0 };
        if (!figures->is_gone)
            cmd_history_add(&self->history, time_us, time_us + self->delay_us * 3 / 2, figures->offered,
                            &figures->reading);
        if (!figures->is_gone && !has_something(self, self->meter))
            cmd_display_turn(self, FALSE);
    }
    g_free(self->found.place);
    g_free(self->found.lack);
    self->found.has_figures = found->has_figures;
    self->found.way = found->way;
    self->found.place = g_steal_pointer(&found->place);
    self->found.lack = g_steal_pointer(&found->lack);
    cmd_found_clear(found);
}

void cmd_display_take_event(CmdDisplay *self, const CmdEvent *event) {
    g_queue_push_tail(&self->events, g_memdup2(event, sizeof *event));
    if (g_queue_get_length(&self->events) > EVENTS_MAX)
        g_free(g_queue_pop_head(&self->events));
}

/* The graph has about half of what is left, and processes more than events. Where that is little, events go first. */
CmdLayout cmd_layout_make(guint rows) {
    CmdLayout layout = { 0 };
    guint left = rows > 2 ? rows - 2 : 0;

    layout.limits = left >= 4;
    left -= layout.limits;
    layout.state = MIN(left, CMD_PANEL_STATE_ROWS);
    left -= layout.state;
    if (left >= GRAPH_ROWS_LEAST + 8)
        layout.events = CLAMP(left / 5, 4, 12);
    left -= layout.events;
    if (left >= GRAPH_ROWS_LEAST + 3)
        layout.processes = CLAMP(left * 2 / 5, 3, 25);
    else if (left < GRAPH_ROWS_LEAST && left >= 2)
        layout.processes = left;
    layout.graph = left - layout.processes;
    return layout;
}

static char *note_of(const CmdDisplay *self) {
    double seconds = (double)self->delay_us / G_USEC_PER_SEC;

    return self->is_paused ? g_strdup("paused") : g_strdup_printf("every %gs", seconds);
}

/* While it is paused those that were listed stay, whether they live or not. */
static void put_processes(CmdDisplay *self, const CmdScreen *screen, guint row, guint rows) {
    if (!self->is_paused)
        self->n_grown =
            cmd_processes_get(self->processes, CMD_GROWTH_GROWN, MIN(rows - 1, CMD_DISPLAY_PROCESSES_MAX), self->grown);
    cmd_panel_put_processes(screen, self->grown, MIN(self->n_grown, rows - 1), row);
}

static void put_body(CmdDisplay *self, const CmdScreen *screen, const CmdLayout *layout) {
    const CmdGraph graph = { self->meter, self->now_us, self->delay_us, self->is_zoomed };
    guint row = 1;

    if (layout->state > 0)
        cmd_panel_put_state(screen, &self->found, row, layout->state);
    row += layout->state;
    if (layout->limits > 0)
        cmd_panel_put_limits(screen, &self->found, self->is_late ? "memnotifyfs does not answer" : NULL, row);
    row += layout->limits;
    if (layout->graph > 0)
        cmd_graph_put(&graph, screen, &self->found.figures, &self->history, row, layout->graph);
    row += layout->graph;
    cmd_panel_put_events(screen, &self->events, row, layout->events);
    row += layout->events;
    if (layout->processes > 0)
        put_processes(self, screen, row, layout->processes);
}

void cmd_display_put(CmdDisplay *self, const CmdScreen *screen) {
    CmdLayout layout = cmd_layout_make(screen->rows);
    g_autofree char *note = note_of(self);

    cmd_screen_clear();
    cmd_panel_put_head(screen, &self->found, note, 0);
    if (self->wants_help)
        cmd_panel_put_help(screen, 1, screen->rows - MIN(screen->rows, 2));
    else
        put_body(self, screen, &layout);
    if (screen->rows > 1)
        cmd_panel_put_keys(screen, screen->rows - 1);
    cmd_screen_show();
}
