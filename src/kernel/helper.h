/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may wait is not done by the main loop.
 *
 * A client decides how long the kernel takes to tell us about it. /proc/PID/fdinfo/N of an epoll set takes
 * the set's mutex, which the client holds while a file in the set is asked for its state, and that file may be
 * ours; status, stat and pagemap borrow the address space, and who gives it back last unmaps it, which writes
 * to files that the client serves; pidfd_getfd() and the opening of pagemap wait for an execve() that is under
 * way; closing what turned out to be no eventfd asks its server; and each name below /proc/PID waits for
 * whoever is listing that directory. Some of these waits cannot even be killed.
 *
 * So all of this is done in a process of ours that the main loop asks and does not wait for. It is forked when
 * it is first needed, has no descriptor but its end of a socket (above all no /dev/fuse), does one thing
 * after the other, and is left behind when one takes too long. What it has opened it hands over, and on that the
 * loop itself makes only calls that cannot wait:
 *
 *   eventfd        counted up by the end of an asynchronous read of nothing (kernel/signaller): takes the
 *                  spinlock of its wait queue
 *   pidfd          poll(): takes no lock; the kernel wakes us when the process has ended
 *   oom_score_adj  read: takes no lock; write: takes oom_adj_mutex, which is held over a walk of the processes
 *                  and never while user memory is touched
 *   all of them    close(): none has a flush operation; a pidfd or a file of /proc holds the process's number or
 *                  an address space that has been emptied already */
#pragma once

#include "kernel/parcel.h"

#include <sys/types.h>

/* For what takes far less than a millisecond: on a machine that is so busy that a process waits for its turn much
 * longer than that, nobody is to be refused. */
#define MN_HELPER_LIMIT_MS 3000

typedef struct MnHelper MnHelper;
typedef struct MnHelperJob MnHelperJob;

/* Something that the helper can do. */
typedef struct MnTask {
    const char *name; /* for the log, as "register an eventfd" */
    guint limit_ms;   /* for one time */

    /* In the helper: 0 or -errno. What is in either parcel is closed and freed by the caller. */
    int (*run)(MnParcel *question, MnParcel *answer);
} MnTask;

/* Called once, from the main loop: what run() has returned and put into the answer. -EBUSY: it took too long.
 * -EAGAIN, -EMFILE, -ENFILE, -ENOMEM: there is no helper, or what it sent could not be had. -EIO: it was
 * killed. -ENOTCONN: it is not needed any more. Of the answer whatever is wanted is to be taken out. */
typedef void (*MnAnswered)(int r, MnParcel *answer, gpointer data);

/* Nothing is started before it is needed. */
MnHelper *mn_helper_new(void);

/* Ends the process and answers everybody who waits. Accepts NULL. */
void mn_helper_free(MnHelper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnHelper, mn_helper_free)

/* From now on there is a process as far as possible, also before it is asked: for what has to be done when there may be
 * neither memory nor descriptors to start one. -errno when it could not be started now. */
int mn_helper_prepare(MnHelper *self) G_GNUC_WARN_UNUSED_RESULT;

/* Asks the helper to do something on behalf of user `uid`. `fds` stay the caller's, and copies are kept of them only
 * where others have to be served first. -EBUSY at once, and for some time, for a user (not root) on whose behalf the
 * same took too long; else as MnAnswered. answered() is never called from within. */
int mn_helper_ask(MnHelper *self, const MnTask *task, uid_t uid, gconstpointer question, gsize len, const int *fds,
                  guint n_fds, MnAnswered answered, gpointer data, MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;

/* answered() will not be called. The task may have been carried out, or still be. */
void mn_helper_forget(MnHelperJob *job);

/* Runs the main loop until everything is answered. For what is done before we serve. */
void mn_helper_settle(MnHelper *self);

/* Ends the process if there is one; the next request starts another. */
void mn_helper_dismiss(MnHelper *self);
