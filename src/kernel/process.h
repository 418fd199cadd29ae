/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/process.h"

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

/* Reads the beginning of a file that the kernel gives in one read(), as those below /proc/PID. -errno; -ESRCH when
 * there is none, as when the process has ended. */
int mn_process_read_file(int directory_fd, const char *path, char *buffer, gsize size, gsize *ret_len)
    G_GNUC_WARN_UNUSED_RESULT;

/* -errno; -ESRCH when it has ended meanwhile. Works for threads too. */
int mn_process_read_stat(pid_t pid, MnProcessStat *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_process_read_status(pid_t pid, MnProcessStatus *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The same from a file of that name, as "PID/status" below a /proc. */
int mn_process_read_status_at(int directory_fd, const char *path, MnProcessStatus *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Sends a signal, or looks with 0 whether that is permitted, by the rights that user has at this moment: the
 * kernel's own check, as if he called kill(2). For root by ours. -EPERM also where we cannot act as that user.
 * Only in the helper. */
int mn_process_signal_as(int pidfd, uid_t uid, int number) G_GNUC_WARN_UNUSED_RESULT;

/* The name of the program that runs, without the newline. */
int mn_process_read_comm(pid_t pid, char comm[MN_COMM_MAX + 1]) G_GNUC_WARN_UNUSED_RESULT;

/* The oom_score_adj of the living process behind the pidfd, which stays that process's. -EACCES when it is not
 * ours to change. */
int mn_process_open_score(pid_t pid, int pidfd, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;

/* These do not wait. -ESRCH: the process has ended. */
int mn_process_get_score(int score_fd, int *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Sets it, leaving alone how far the process may lower it again by itself: a writer that has
 * CAP_SYS_RESOURCE would move that floor (oom_score_adj_min) to the value written, so it is put
 * aside for the moment. Because of that the value that was there before can always be put back.
 * -EACCES: below the floor. */
int mn_process_set_score(int score_fd, int score) G_GNUC_WARN_UNUSED_RESULT;

/* Whether /proc shows the pids of our own namespace. Not so where somebody has entered a new one and
 * mounted no /proc in it. */
gboolean mn_process_proc_is_ours(void);

/* The pid that a directory of /proc is named after, or 0 for others. */
pid_t mn_process_pid_of(const char *name);

/* Whether that process, whose parent is `ppid`, is the daemon or a helper. Asked in the helper. */
gboolean mn_process_is_ourselves(pid_t pid, pid_t ppid);

/* How many threads and processes there are, roughly, from a descriptor that is opened beforehand: neither waits.
 * 0 where that is -1. */
int mn_process_open_load(void);
guint mn_process_count(int load_fd);
