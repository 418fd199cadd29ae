/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* Who wants processes to be ended, in the namespaces of the mount: the user whose file it is and the user and
 * thread that write to it, which may be others. Both users need the right to. The thread is 0 when it cannot be
 * seen from here. */
typedef struct MnWriter {
    uid_t opener_uid;
    uid_t uid;
    pid_t tid;
} MnWriter;

/* A process that may be ended. */
typedef struct MnTarget {
    pid_t pid;
    guint64 start_ticks;
    int pidfd;
    int score_fd; /* its oom_score_adj; -1 unless that is wanted */
} MnTarget;

void mn_target_close(MnTarget *self);

/* In the helper. Opens a process for who may end it. -ESRCH, -EPERM as mn_oom_list_write(). */
int mn_target_open(pid_t pid, const MnWriter *writer, gboolean wants_score, MnTarget *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for all of these processes, as the writer numbers them; -errno for the first that cannot be had. */
int mn_target_ask_all(MnHelper *helper, const MnWriter *writer, gboolean wants_scores, const GArray *pids,
                      MnAnswered answered, gpointer data) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for the process that had this pid from `start_ticks` on, whoever may end it. */
int mn_target_ask_again(MnHelper *helper, pid_t pid, guint64 start_ticks, MnAnswered answered, gpointer data)
    G_GNUC_WARN_UNUSED_RESULT;

/* How many processes the answer to either has, and one of them, out of it. */
guint mn_target_count(const MnParcel *answer);
void mn_target_take(MnTarget *ret, guint place, MnParcel *answer);

/* Asks for a signal by the rights that the writer has then. The answer is the process's name, a string, as it was
 * before. -ESRCH: it has ended. */
int mn_target_ask_signal(const MnTarget *self, MnHelper *helper, const MnWriter *writer, int number,
                         MnAnswered answered, gpointer data, MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;
