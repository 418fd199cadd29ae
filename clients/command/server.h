/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The process that serves a mount, as /proc has it. */
typedef struct CmdServer {
    pid_t pid;  /* 0: it cannot be found, as that of another PID namespace */
    char state; /* 'S', 'T' and others of proc_pid_stat(5) */
    guint64 locked_kib;
    gint64 oom_score_adj;
} CmdServer;

/* Finds the one that was told to mount at `path`, an absolute one. All zero when there is none. */
void cmd_server_find(const char *path, CmdServer *ret);
