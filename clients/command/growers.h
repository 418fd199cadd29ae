/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A process of a recording, with what it has of memory and swap together, in bytes. */
typedef struct CmdGrower {
    guint64 pid;
    char *name;         /* printable */
    char *line_name;    /* as the lines have it */
    gboolean was_there; /* in the first text: it has grown from what it had then, and others from nothing */
    guint64 first_bytes;
    guint64 last_bytes;
    guint64 peak_bytes;
    gint64 first_us;
    gint64 last_us; /* when it was seen last */
} CmdGrower;

/* One line of the text. */
typedef struct CmdProcessLine {
    guint64 pid;
    guint64 bytes;
    const char *name; /* of `len` bytes */
    gsize len;
} CmdProcessLine;

/* Takes the next line off the text `PID RSS SWAP NAME` of MN_SCRIPT_PROCESSES; what is no such line is skipped. FALSE at
 * the end. */
gboolean cmd_process_line_next(const char **text, const char *end, CmdProcessLine *ret);

/* Whether it is of that process. */
gboolean cmd_grower_is(const CmdGrower *self, const CmdProcessLine *line);

/* All processes of a recording, by number and name. */
typedef struct CmdGrowers CmdGrowers;

CmdGrowers *cmd_growers_new(void);
void cmd_growers_free(CmdGrowers *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdGrowers, cmd_growers_free)

/* What there is at a time. */
void cmd_growers_see(CmdGrowers *self, gint64 time_us, const char *text, gsize len);

/* The first `most` of those that have grown, by how much: an array of CmdGrower, which are the growers'. */
GPtrArray *cmd_growers_rank(const CmdGrowers *self, guint most);
