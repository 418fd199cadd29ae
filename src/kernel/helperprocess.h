/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/parcel.h"

#include <sys/types.h>

/* Something that a helper can do. */
typedef struct MnTask {
    const char *name; /* for the log, as "register an eventfd" */
    guint limit_ms;   /* for one time */

    /* In the helper: 0 or -errno. What is in either parcel is closed and freed by the caller. */
    int (*run)(MnParcel *question, MnParcel *answer);

    gboolean is_urgent; /* not put off for what its user has used up: others wait for it to be done */
} MnTask;

/* One process of ours that does tasks, one after the other. */
typedef struct MnHelperProcess MnHelperProcess;

/* What has come of a question: what run() has returned, and how long it has worked or been kept waiting; what it has
 * waited for a CPU does not count, since on a busy machine that is others'. */
typedef struct MnOutcome {
    gint32 r;
    guint32 spent_us;
} MnOutcome;

/* Called from the main loop for the last question, with what run() has put into the answer, or when the process is not
 * alive, because it was ended by somebody. It may be freed from within. */
typedef void (*MnHeard)(MnHelperProcess *process, gboolean is_alive, MnOutcome outcome, MnParcel *answer,
                        gpointer data);

/* Starts one: -EAGAIN, -EMFILE, -ENFILE, -ENOMEM when it cannot be had, -EIO when it was killed at once. */
int mn_helper_process_new(MnHeard heard, gpointer data, MnHelperProcess **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Kills it, and does not wait for its end. Accepts NULL. */
void mn_helper_process_free(MnHelperProcess *self);

/* The same for one that has nothing to do: it ends at once, and is waited for. */
void mn_helper_process_dismiss(MnHelperProcess *self);

/* Sends a question to one that has nothing to do. It stays the caller's, as do its descriptors. -EPIPE: the process
 * has ended. */
int mn_helper_process_ask(MnHelperProcess *self, const MnTask *task, GBytes *question, const int *fds, guint n_fds)
    G_GNUC_WARN_UNUSED_RESULT;

/* Kills it, which may have no effect before a client lets go of what it waits for. heard() is not called any more;
 * ended() is, once it has ended, to free it. */
void mn_helper_process_give_up(MnHelperProcess *self, void (*ended)(gpointer data), gpointer data);

pid_t mn_helper_process_get_pid(const MnHelperProcess *self);
