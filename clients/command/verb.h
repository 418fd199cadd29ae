/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What memnotify ends with, besides what a command of `on --once` has ended with. */
typedef enum CmdStatus {
    CMD_OK = 0,
    CMD_FAILED = 1,     /* and it has said why */
    CMD_MISUSED = 2,    /* the command line, or limits, are not understood */
    CMD_TIMED_OUT = 124 /* as timeout(1) */
} CmdStatus;

/* One thing that memnotify can do, or a program beside it. */
typedef struct CmdVerb {
    const char *name;
    const char *arguments; /* for the help: "LIMITS" */
    const char *summary;   /* the same: half a line */
    gboolean prints;       /* data, for which there are --json and units */
    gboolean is_alone;     /* asks no server */
    gboolean is_program;   /* of its own, with that name */

    /* `argv` begins with the verb, and is to be changed at will; returns the exit status. */
    int (*run)(char ***argv);
} CmdVerb;

/* What main() is for all of them: runs with the words, and returns the exit status. */
int cmd_main(int (*run)(char **argv), char **argv);

/* The same for a program that is one verb. */
int cmd_main_program(const CmdVerb *verb, char **argv);

extern const CmdVerb cmd_on, cmd_record, cmd_replay, cmd_report, cmd_serve, cmd_simulate, cmd_status, cmd_top, cmd_wait,
    cmd_watch;
