/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "follower.h"
#include "processes.h"
#include "screen.h"

/* The parts of the screen of `top` besides its graph. Each begins at a row, and has room for so many. */

/* Whose memory it is, and from where; `note` stands at the right. One row. */
void cmd_panel_put_head(const CmdScreen *screen, const CmdFound *found, const char *note, guint row);

/* How full it is, beside what pressure there is. */
#define CMD_PANEL_STATE_ROWS 3
void cmd_panel_put_state(const CmdScreen *screen, const CmdFound *found, guint row, guint rows);

/* What is wrong with the server; else which limits are reached. One row. `warning` comes before all, or is NULL. */
void cmd_panel_put_limits(const CmdScreen *screen, const CmdFound *found, const char *warning, guint row);

/* A title, and the latest of the events, of which the last is the newest. */
void cmd_panel_put_events(const CmdScreen *screen, GQueue *events, guint row, guint rows);

/* A title, and these processes. */
void cmd_panel_put_processes(const CmdScreen *screen, const CmdGrown *processes, guint n, guint row);

/* What keys there are. One row. */
void cmd_panel_put_keys(const CmdScreen *screen, guint row);

/* The same at length. */
void cmd_panel_put_help(const CmdScreen *screen, guint row, guint rows);
