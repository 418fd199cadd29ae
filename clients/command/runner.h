/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <memnotifyfs/page.h>

/* A limit that was reached or left: what a command is run for. */
typedef struct CmdCause {
    gboolean is_left;
    guint64 value_bytes;
    guint64 limit_bytes;
    gint64 date_us; /* since 1970 */
    char meter[MEMNOTIFYFS_PAGE_NAME_MAX + 1];
} CmdCause;

/* When a command is to be run, and for what: never two at a time, and once for all that has come since the last run
 * began, of which it is told the last. Knows no clock; times are microseconds. */
typedef struct CmdRunner {
    gint64 cooldown_us; /* from the end of a run to the beginning of the next */
    gint64 free_us;     /* when that is over; 0 before the first run */
    gboolean is_running;
    gboolean is_wanted; /* a run for `last` */
    CmdCause last;
} CmdRunner;

void cmd_runner_init(CmdRunner *self, gint64 cooldown_us);

/* Something has come. */
void cmd_runner_add(CmdRunner *self, const CmdCause *cause);

/* What a run is to begin for now; NULL: for nothing. */
const CmdCause *cmd_runner_get_due(const CmdRunner *self, gint64 now_us);

/* It has begun, and has ended. */
void cmd_runner_begin(CmdRunner *self);
void cmd_runner_end(CmdRunner *self, gint64 now_us);

/* It has turned out that it had not begun. */
void cmd_runner_revoke(CmdRunner *self);

/* When to ask again, if nothing comes; G_MAXINT64: never. */
gint64 cmd_runner_get_wake_us(const CmdRunner *self);
