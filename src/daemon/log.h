/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/outlet.h"

#define MN_LOG_SYSTEM "/dev/log"

/* The program's messages, each one line: in the foreground "memnotifyfs: text" on standard error, in the
 * background what syslog(3) would send, as the user's and with our process id.
 *
 * What is not taken at once is lost: nobody who does not read a log makes the clients wait. How many were lost
 * is said before the next message that gets through. */
typedef struct MnLog {
    MnOutlet outlet;
    const char *name; /* of the outlet, in a message */
    pid_t pid;        /* 0 in the foreground */
    guint n_lost;
    const char *lost_to; /* where the last one should have gone, and why it did not */
    int lost_error;
} MnLog;

/* To `fd`, which stays the caller's. */
void mn_log_init(MnLog *self, int fd);

/* From now on to the system's log, whose socket is `path`; nothing of the old outlet is kept open. Call it in
 * the process that serves. */
void mn_log_enter_background(MnLog *self, const char *path);

/* Tries a last time to say what was lost. */
void mn_log_clear(MnLog *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnLog, mn_log_clear)

/* `priority` is one of syslog(3). Control characters in the text are shown in octal, and what is longer than
 * PIPE_BUF bytes in all ends in "...". */
void mn_log_write(MnLog *self, int priority, const char *text);

/* GLib's messages, for g_log_set_writer_func() with the log as its data. */
GLogWriterOutput mn_log_write_glib(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer log);
