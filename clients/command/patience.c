/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever waits for an answer of FUSE hears no signal but one that kills him at once, so there is a thread that can speak. */
#include "patience.h"

#include "client.h"

#include "loop/clock.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Longer than libmemnotifyfs waits for an answer by the socket, which then says so itself. */
#define PATIENCE_US (7 * G_TIME_SPAN_SECOND)

struct CmdPatience {
    gint64 most_us;
    int (*run_out)(const char *place);
    const char *place;
    GMutex lock;
    GCond change;
    gboolean is_over; /* under the lock: it has come */
    GThread *thread;
};

static gpointer watch(gpointer data) {
    CmdPatience *self = data;
    gint64 end_us = mn_clock_now_us(&mn_machine_clock) + self->most_us;
    gboolean is_in_time = TRUE;

    g_mutex_lock(&self->lock);
    while (!self->is_over && is_in_time)
        is_in_time = g_cond_wait_until(&self->change, &self->lock, end_us);
    if (!self->is_over)
        _exit(self->run_out(self->place));
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* Signals are for the thread that was there before. */
CmdPatience *cmd_patience_new_for(gint64 most_us, int (*run_out)(const char *place), const char *place) {
    CmdPatience *self = g_new0(CmdPatience, 1);
    sigset_t all, before;

    self->most_us = most_us;
    self->run_out = run_out;
    self->place = place;
    g_mutex_init(&self->lock);
    g_cond_init(&self->change);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->thread = g_thread_new("patience", watch, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return self;
}

static int fail(const char *place) {
    return cmd_client_fail_open(place, -ETIMEDOUT);
}

CmdPatience *cmd_patience_new(const char *place) {
    return cmd_patience_new_for(PATIENCE_US, fail, place);
}

void cmd_patience_free(CmdPatience *self) {
    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->is_over = TRUE;
    g_cond_signal(&self->change);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->change);
    g_free(self);
}
