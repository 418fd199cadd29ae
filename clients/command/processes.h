/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "growth.h"

#include "core/process.h"

/* Follows all processes that /proc shows. */
typedef struct CmdProcesses CmdProcesses;

/* A process that is shown. */
typedef struct CmdGrown {
    pid_t pid;
    char comm[MN_COMM_MAX + 1]; /* any byte */
    guint64 rss_pages;
    guint64 first_rss_pages;
    guint64 swap_pages;
    guint64 first_swap_pages;
} CmdGrown;

/* -errno. */
int cmd_processes_new(CmdProcesses **ret) G_GNUC_WARN_UNUSED_RESULT;
void cmd_processes_free(CmdProcesses *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdProcesses, cmd_processes_free)

/* Looks at how much memory each has. */
void cmd_processes_look(CmdProcesses *self);

/* From the next look on growth is counted anew. */
void cmd_processes_restart(CmdProcesses *self);

/* Writes the first `most` processes in that order, growth being since the first look, and returns how many there are. Only of
 * these it reads names and swap. */
guint cmd_processes_get(CmdProcesses *self, CmdGrowthOrder order, guint most, CmdGrown *ret);
