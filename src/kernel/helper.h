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
 * it is first needed, has no descriptor but its end of a socket (above all no /dev/fuse), and does one thing
 * after the other. One that is slow is set aside and another takes its place; it is left behind when its time is
 * over. What it has opened it hands over, and on that the loop itself makes only calls that cannot wait:
 *
 *   eventfd        counted up by the end of an asynchronous read of nothing (kernel/signaller): takes the
 *                  spinlock of its wait queue
 *   pidfd          poll(): takes no lock; the kernel wakes us when the process has ended
 *   oom_score_adj  read: takes no lock; write: takes oom_adj_mutex, which is held over a walk of the processes
 *                  and never while user memory is touched
 *   all of them    close(): none has a flush operation; a pidfd or a file of /proc holds the process's number or
 *                  an address space that has been emptied already */
#pragma once

#include "kernel/helperprocess.h"
#include "loop/clock.h"
#include "quota/quota.h"

/* For what takes far less than a millisecond. Nobody else waits for one that is slow, so this is only to end what would
 * never end by itself: time goes by as well for a process that gets no CPU, and on the busiest machine nobody is to be
 * refused for that. */
#define MN_HELPER_LIMIT_MS 10000

typedef struct MnHelper MnHelper;
typedef struct MnHelperJob MnHelperJob;

/* Called once, from the main loop: what run() has returned and put into the answer. -EBUSY: it took too long.
 * -EAGAIN, -EMFILE, -ENFILE, -ENOMEM: there is no helper, or what it sent could not be had. -EIO: it was
 * killed. -ENOTCONN: it is not needed any more. Of the answer whatever is wanted is to be taken out. */
typedef void (*MnAnswered)(int r, MnParcel *answer, gpointer data);

/* Nothing is started before it is needed. What users have taken is measured by the clock, and put down to who pays for
 * them; both stay the caller's. */
MnHelper *mn_helper_new(const MnClock *clock, const MnQuota *quota);

/* Ends all processes and answers everybody who waits. Accepts NULL. */
void mn_helper_free(MnHelper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnHelper, mn_helper_free)

/* From now on there is a process as far as possible, also before it is asked: for what has to be done when there may be
 * neither memory nor descriptors to start one. -errno when it could not be started now. */
int mn_helper_prepare(MnHelper *self) G_GNUC_WARN_UNUSED_RESULT;

/* Asks the helper to do something on behalf of user `uid`, when it is his turn: see core/turns.h. `fds` stay the caller's,
 * and copies are kept of them only where others, or something else of his, have to be done first. -EBUSY at once, and for
 * some time, for a user (not root) on whose behalf the same took too long; else as MnAnswered. answered() is never called
 * from within. */
int mn_helper_ask(MnHelper *self, const MnTask *task, uid_t uid, gconstpointer question, gsize len, const int *fds,
                  guint n_fds, MnAnswered answered, gpointer data, MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;

/* answered() will not be called. The task may have been carried out, or still be. */
void mn_helper_forget(MnHelperJob *job);

/* Runs the main loop until everything is answered. For what is done before we serve. */
void mn_helper_settle(MnHelper *self);

/* Ends the process if there is one that has nothing to do; the next request starts another. */
void mn_helper_dismiss(MnHelper *self);
