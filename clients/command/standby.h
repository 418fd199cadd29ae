/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "program.h"

#include "kernel/child.h"

/* A process that waits to become a command: forked and locked in memory while there was some, so that nothing but
 * execve(2) is left to be done when there is none.
 *
 * The command has the standard descriptors alone, /dev/null for its input; a process group of its own, whose number is
 * its pid; signals as they are by default; and the oom_score_adj that we had. It is sent SIGTERM when we end. */
typedef struct CmdStandby CmdStandby;

/* `left` is NULL where nothing is run for that. Both stay the caller's. Nothing is started yet. */
CmdStandby *cmd_standby_new(const CmdProgram *reached, const CmdProgram *left);

/* Ends the process, too. Accepts NULL. */
void cmd_standby_free(CmdStandby *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdStandby, cmd_standby_free)

/* Keeps us alive and quick, too, as far as that is permitted. Before a process is started, which has the same. */
void cmd_standby_protect_us(CmdStandby *self);

/* Forks it, unless there is one, and from now on another when somebody has killed it. -EAGAIN, -EMFILE, -ENFILE, -ENOMEM,
 * -EIO: there is none at present; it is tried again by itself. */
int cmd_standby_prepare(CmdStandby *self);

/* Tells it to become the command. It is the caller's then, who waits for its end, and
 * keeps the socket till then; another is not started. Where there is
 * none, it is forked first: errors as those of cmd_standby_prepare(). Does not allocate where there is one. */
int cmd_standby_begin(CmdStandby *self, const CmdCause *cause, MnChild *ret) G_GNUC_WARN_UNUSED_RESULT;
