/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* One program in one process: it ends when the process exits or executes another program. It can be
 * signalled, and a later process of the same number never is. */
typedef struct MnProgram MnProgram;

/* The program that thread `tid`, which is waiting for our answer, belongs to. -ESRCH: no such thread
 * is to be seen from here. -EPERM: it may not be signalled or looked at by us. -EOPNOTSUPP: the
 * kernel has no pidfd (before 5.3) or no /proc/PID/pagemap, or /proc shows the processes of another
 * pid namespace. */
int mn_program_new(pid_t tid, MnProgram **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_program_free(MnProgram *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnProgram, mn_program_free)

/* -ESRCH when the program has ended, -errno when it cannot be signalled any more. */
int mn_program_signal(const MnProgram *self, int signal_number) G_GNUC_WARN_UNUSED_RESULT;
