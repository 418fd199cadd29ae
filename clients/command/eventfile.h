/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "event.h"

/* The file `events` of a mount: the crossings of named thresholds from now on. A descriptor that does not block, for
 * cmd_event_file_read(); or -errno, as cmd_where_find_mount() has it. */
int cmd_event_file_open(const char *place);

typedef void (*CmdEventTake)(const CmdEvent *event, gpointer data);

/* Gives all events that there are to `take`. 0: there are no more at present; -errno: the server has ended. */
int cmd_event_file_read(int fd, CmdEventTake take, gpointer data) G_GNUC_WARN_UNUSED_RESULT;
