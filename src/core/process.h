/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Longest name of a process: 15 bytes of a program, some more of the kernel's own workers. */
#define MN_COMM_MAX 63

/* What /proc/PID/stat says. Times are clock ticks (USER_HZ). */
typedef struct MnProcessStat {
    pid_t pid;
    char comm[MN_COMM_MAX + 1]; /* as the process has set it: any byte, also a newline */
    char state;
    pid_t ppid;
    gboolean is_kernel_thread;
    guint64 utime_ticks;
    guint64 stime_ticks;
    gint nice;
    guint64 start_ticks; /* since boot */
    guint64 vm_bytes;    /* the whole address space; 0 for what has none, as a zombie */
} MnProcessStat;

/* What /proc/PID/status says. Ids are as seen from the namespaces of the reader. */
typedef struct MnProcessStatus {
    pid_t tgid;
    uid_t uid; /* real */
    uid_t euid;
    uid_t fsuid;          /* by which it opens files, and asks for what FUSE serves */
    guint64 capabilities; /* effective */
    guint n_pids;         /* in how many nested pid namespaces it has a number; 1: only in the reader's */
    pid_t last_pid;       /* its number in the innermost, its own */
    guint64 swap_kib;     /* of it that lies in swap; 0 for what has no memory, as a zombie */
} MnProcessStatus;

/* -EBADMSG, with *ret untouched, for a text that is cut or not of this kind. The name may hold
 * anything that looks like the rest of the line. */
int mn_process_parse_stat(const char *text, gsize len, MnProcessStat *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_process_parse_status(const char *text, gsize len, MnProcessStatus *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a name as mn_text_show_next() shows it, so that it stays on its line, and with each backslash
 * doubled, so that it can be told which name it was. */
void mn_comm_append(GString *text, const char *comm);
