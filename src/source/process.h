/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/process.h"
#include "core/ranking.h"

/* The processes of the live /proc.
 *
 * A pid alone says nothing: the process may have ended and another got its number. Whoever keeps a
 * pidfd and finds it alive *after* he has opened or read something below /proc/PID knows that it
 * was that process's, since a number is not given away before its process has been waited for. */

/* A pidfd for a living process. -ESRCH when there is none of that number, or it is a thread's;
 * -errno otherwise. */
int mn_process_open(pid_t pid, int *ret_pidfd) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it has ended, be it waited for or not. */
gboolean mn_process_has_ended(int pidfd);

/* -errno; -ESRCH when it has ended meanwhile. Works for threads too. */
int mn_process_read_stat(pid_t pid, MnProcessStat *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_process_read_status(pid_t pid, MnProcessStatus *ret) G_GNUC_WARN_UNUSED_RESULT;

int mn_process_signal(int pidfd, int signal) G_GNUC_WARN_UNUSED_RESULT;

/* The oom_score_adj of the process. -EACCES when it is not ours to change. */
int mn_process_get_score(pid_t pid, int pidfd, int *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_process_check_score(pid_t pid, int pidfd) G_GNUC_WARN_UNUSED_RESULT; /* may it be set? */

/* Sets it, leaving alone how far the process may lower it again by itself: a writer that has
 * CAP_SYS_RESOURCE would move that floor (oom_score_adj_min) to the value written, so it is put
 * aside for the moment. Because of that the value that was there before can always be put back.
 * -EACCES: below the floor. */
int mn_process_set_score(pid_t pid, int pidfd, int score) G_GNUC_WARN_UNUSED_RESULT;

/* Translates pids as thread `tid` means them into ours, in place; those that do not exist in its
 * pid namespace itself (they may do so in one below it) become 0. -EPERM when they cannot be known:
 * `tid` is 0 (it is in a namespace that we do not see into), we may not look at its namespace, or
 * /proc is that of another than ours. */
int mn_process_translate(pid_t tid, pid_t *pids, guint n) G_GNUC_WARN_UNUSED_RESULT;

/* All processes that could be ended but ourselves, ranked: a new array of MnCandidate. */
int mn_process_rank(GArray **ret) G_GNUC_WARN_UNUSED_RESULT;

/* How many threads and processes there are, roughly: without looking at /proc. */
guint mn_process_count(void);
