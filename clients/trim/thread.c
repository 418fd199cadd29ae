/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "thread.h"

#include "journal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the C library lays aside for the program's thread-local variables is taken from the stack of a thread. */
#define STACK_MIN (64U << 10)
#define STACK_MAX (8U << 20)

#define CLOSE_UNSHARED 2 /* CLOSE_RANGE_UNSHARE, since Linux 5.9 */

static struct {
    void (*run)(void);
    pthread_mutex_t lock; /* from a pause until it is over */
    unsigned n_pauses;    /* one in another: the C library may be behind a second library of our kind */
    pthread_t thread;
    pid_t pid; /* of the process that has it; 0 for none */
    bool is_ended;
} self = { .lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP };

static void *live(void *nothing) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    prctl(PR_SET_NAME, "memnotify-trim");
    if (syscall(SYS_close_range, 0, ~0U, CLOSE_UNSHARED) < 0)
        journal_say("gives nothing back: cannot have descriptors of its own: %s", strerror(errno));
    else
        self.run();
    return nothing;
}

/* With the smallest stack that the C library takes. 0, or an error as of errno. */
static int create(pthread_attr_t *attributes) {
    int r = EINVAL;

    for (size_t size = STACK_MIN; r == EINVAL && size <= STACK_MAX; size *= 2)
        if (pthread_attr_setstacksize(attributes, size) == 0)
            r = pthread_create(&self.thread, attributes, live, NULL);
    return r;
}

static int start(void) {
    pthread_attr_t attributes;
    sigset_t all, before;
    int r = pthread_attr_init(&attributes);

    if (r == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = create(&attributes);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    self.pid = r == 0 ? getpid() : 0;
    return r;
}

/* The parent's thread does not exist here, nor who has the lock. A child that may have no thread is left alone. */
static void start_in_child(void) {
    const pthread_mutex_t unlocked = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

    self.lock = unlocked;
    self.n_pauses = 0;
    if (!self.is_ended)
        start();
}

void thread_begin(void (*run)(void)) {
    int r;

    self.run = run;
    /* So that the allocator's fork handlers come before ours in a child, which needs it for the thread. */
    free(malloc(1));
    pthread_atfork(NULL, NULL, start_in_child);
    r = start();
    if (r != 0)
        journal_say("gives nothing back: cannot start a thread: %s", strerror(r));
}

static bool is_elsewhere(void) {
    return self.pid != getpid() || pthread_equal(self.thread, pthread_self());
}

bool thread_pause(void) {
    if (is_elsewhere())
        return false;
    pthread_mutex_lock(&self.lock);
    if (self.pid == 0) { /* meanwhile */
        pthread_mutex_unlock(&self.lock);
        return false;
    }
    if (self.n_pauses++ == 0) {
        pthread_cancel(self.thread);
        pthread_join(self.thread, NULL);
    }
    return true;
}

/* In a process that has gone into a namespace of process ids there may be no new thread; its children have one. */
void thread_resume(void) {
    if (--self.n_pauses == 0 && !self.is_ended)
        start();
    pthread_mutex_unlock(&self.lock);
}

void thread_end(void) {
    if (!thread_pause())
        return;
    self.is_ended = true;
    self.n_pauses--;
    self.pid = 0;
    pthread_mutex_unlock(&self.lock);
}

void thread_wait(int fd, int timeout_ms) {
    struct pollfd waiter = { .fd = fd, .events = POLLIN };

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    poll(&waiter, 1, timeout_ms);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
}
