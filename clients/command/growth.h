/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A process, and how much memory it had when it was seen first. */
typedef struct CmdProcess {
    pid_t pid;
    guint64 start_ticks; /* by which it differs from others that have had its number */
    guint64 inode;       /* of its directory: while that stays the same, so does the process */
    gboolean is_kernel_thread;
    guint64 rss_pages;
    guint64 first_rss_pages;
    guint64 first_swap_pages;
    guint turn; /* in which it was seen last */
} CmdProcess;

/* Which processes have grown, and by how much. Those that were there at first have grown from what they had then, and
 * those that came later from nothing. */
typedef struct CmdGrowth {
    GHashTable *processes; /* of CmdProcess, by its pid */
    guint turn;
} CmdGrowth;

void cmd_growth_init(CmdGrowth *self);
void cmd_growth_clear(CmdGrowth *self);

/* Begins a turn, in which each process that there is has to be seen: those that were not have ended. */
void cmd_growth_begin(CmdGrowth *self);
void cmd_growth_end(CmdGrowth *self);

/* Whether this is the first turn, whose processes are what growth is counted from. */
gboolean cmd_growth_is_first(const CmdGrowth *self);

/* From the next turn on growth is counted anew. */
void cmd_growth_restart(CmdGrowth *self);

/* The process of this number, which is seen herewith; NULL when it may be another one, and is to be added. */
CmdProcess *cmd_growth_see(CmdGrowth *self, pid_t pid, guint64 inode);

/* Sees one: that which is known by its pid and start, or a new one. */
CmdProcess *cmd_growth_add(CmdGrowth *self, pid_t pid, guint64 start_ticks, guint64 inode);

/* How much it has now, which is where it starts from when it was there at first. */
void cmd_growth_measure(const CmdGrowth *self, CmdProcess *process, guint64 rss_pages);

/* Forgets one that has turned out to be another. */
void cmd_growth_drop(CmdGrowth *self, const CmdProcess *process);

typedef enum CmdGrowthOrder {
    CMD_GROWTH_GROWN, /* those that have grown, by how much */
    CMD_GROWTH_LARGE, /* all that have memory, by how much */
} CmdGrowthOrder;

/* Writes the first `most` processes in that order. Returns how many there are. They are not to be used after the next turn
 * has ended. */
guint cmd_growth_rank(const CmdGrowth *self, CmdGrowthOrder order, guint most, const CmdProcess **ret);
