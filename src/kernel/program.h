/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* One program in one process: it ends when the process exits or executes another program. It can be
 * signalled, and a later process of the same number never is. */
typedef struct MnProgram {
    int pidfd;
    int memory_fd;
    uid_t uid; /* of who has asked for the signal */
} MnProgram;

/* In the helper. The program that thread `tid`, which is waiting for our answer, belongs to. -ESRCH: no such thread
 * is to be seen from here. -EPERM: it may not be signalled or looked at by us, or is not `uid`'s (any more).
 * -EOPNOTSUPP: the kernel has no /proc/PID/pagemap, or /proc shows the processes of another pid namespace. */
int mn_program_open(pid_t tid, uid_t uid, MnProgram *ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_program_close(MnProgram *self);

/* In the helper. -ESRCH when the program has ended, -EPERM when `uid` may not signal it (any more). */
int mn_program_signal(const MnProgram *self, int number) G_GNUC_WARN_UNUSED_RESULT;

/* The same, asked from the main loop. */
int mn_program_ask_open(MnHelper *helper, pid_t tid, uid_t uid, MnAnswered answered, gpointer data)
    G_GNUC_WARN_UNUSED_RESULT;
int mn_program_ask_signal(const MnProgram *self, MnHelper *helper, int number, MnAnswered answered, gpointer data,
                          MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;

/* What has been opened, out of the answer. */
void mn_program_take(MnProgram *ret, uid_t uid, MnParcel *answer);
