/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "follower.h"
#include "history.h"
#include "processes.h"
#include "screen.h"

#define CMD_DISPLAY_PROCESSES_MAX 100

/* How the rows of a screen are shared out; 0: that has no room. Titles are included. */
typedef struct CmdLayout {
    guint state;
    guint limits;
    guint graph;
    guint events;
    guint processes;
} CmdLayout;

/* All that is shown, and how. */
typedef struct CmdDisplay {
    CmdFound found; /* the latest that had figures, with what is known of the server now */
    CmdHistory history;
    GQueue events; /* of CmdEvent; the newest is the last */
    CmdProcesses *processes;
    CmdGrown grown[CMD_DISPLAY_PROCESSES_MAX]; /* those that are listed */
    guint n_grown;
    MnMeterId meter;
    gint64 now_us; /* of the latest reading */
    gint64 delay_us;
    gboolean is_late; /* the server has not answered for a whole turn */
    gboolean is_paused;
    gboolean is_zoomed;
    gboolean wants_help;
} CmdDisplay;

int cmd_display_init(CmdDisplay *self, gint64 delay_us) G_GNUC_WARN_UNUSED_RESULT;
void cmd_display_clear(CmdDisplay *self);

/* Takes over what was found by a look at that time, and leaves nothing of it. */
void cmd_display_take(CmdDisplay *self, CmdFound *found, gint64 time_us);
void cmd_display_take_event(CmdDisplay *self, const CmdEvent *event);

/* Goes on to the next meter that has something to show, or back. */
void cmd_display_turn(CmdDisplay *self, gboolean is_back);

/* Between the rows for a title and for keys, of `rows` that there are. */
CmdLayout cmd_layout_make(guint rows);

void cmd_display_put(CmdDisplay *self, const CmdScreen *screen);
