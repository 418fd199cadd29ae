/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "options.h"

#include <memnotifyfs/client.h>

/* What has happened to a limit: of a named threshold, or of our own. */
typedef struct CmdEvent {
    struct memnotifyfs_event what;
    char threshold[MEMNOTIFYFS_NAME_MAX + 1]; /* "" for none */
    guint page_bytes; /* 0: ours; else it is played, of a machine with such pages, whose time what.time_us is */
    gint64 date_us;   /* and which was at that date; 0: it has none */
} CmdEvent;

/* Parses a line of the file `events`, without its newline. FALSE: it is none that is known. */
gboolean cmd_event_parse(const char *line, CmdEvent *ret) G_GNUC_WARN_UNUSED_RESULT;

/* "reached", "left", "changed", "removed", "returned", "lost", "reconnected" or "last_call"; NULL for what is not known. */
const char *cmd_event_get_word(const CmdEvent *self);

/* The date of the event, in microseconds since 1970. */
gint64 cmd_event_get_date_us(const CmdEvent *self);

/* Appends it for people, without a newline:
 *
 *   2026-11-27 12:44:45.123 low available reached 482M limit 512M */
void cmd_event_append(const CmdEvent *self, CmdUnit unit, GString *line);

/* Prints it as a line, for people or as JSON, at once. */
void cmd_event_print(const CmdEvent *self, const CmdOptions *options);
