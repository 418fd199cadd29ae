/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/child.h"

/* A command that runs, in a process group of its own. */
typedef struct CmdRun CmdRun;

/* Takes over the process and its socket, which is known as `name` in messages. A run that takes longer than `most_us` is stopped;
 * G_MAXINT64: never. ended() is called once, with the status that waitpid(2) has given; the run may be freed from
 * within. It comes when the process has ended; of a run that is stopped, when nobody of its group is left, or was killed.
 */
CmdRun *cmd_run_new(const MnChild *child, const char *name, gint64 most_us, void (*ended)(int status, gpointer data),
                    gpointer data);

/* Of one that has ended: whether it has ever become the command. It has not when somebody has killed it before it could. */
gboolean cmd_run_has_begun(const CmdRun *self);

/* Does not end the process. Accepts NULL. */
void cmd_run_free(CmdRun *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdRun, cmd_run_free)

/* Sends SIGTERM to its group, and SIGKILL 2 s later. Once stopped: SIGKILL now. */
void cmd_run_stop(CmdRun *self);
