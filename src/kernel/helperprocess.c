/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process is a copy of the daemon that has closed all that the daemon has open, so a task's address means the same
 * on both sides. It lives as long as its end of a socket leads to somebody, and no longer than the daemon. */
#include "helperprocess.h"

#include "kernel/child.h"
#include "kernel/process.h"
#include "loop/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

G_STATIC_ASSERT(sizeof(MnOutcome) == sizeof(gint64)); /* the word of a parcel */

struct MnHelperProcess {
    MnChild child;   /* whose socket is -1 when it was given up */
    guint source;    /* of the socket, later of the pidfd */
    MnParcel answer; /* as far as it has come */
    MnHeard heard;
    gpointer data;
    void (*ended)(gpointer data);
    gpointer ended_data;
};

/* --- in the process --- */

/* "1204233 88123 7\n": nanoseconds on a CPU, nanoseconds of waiting for one, how often. Without it what a CPU has worked
 * has to do. */
static gint64 spent_us(void) {
    guint64 waited_ns = 0;
    char text[64];
    gsize len = 0;

    if (mn_process_read_file(AT_FDCWD, "/proc/self/schedstat", text, sizeof text - 1, &len) == 0)
        text[len] = '\0';
    if (len == 0 || sscanf(text, "%*u %" G_GUINT64_FORMAT, &waited_ns) != 1)
        return mn_cpu_used_us();
    return mn_clock_now_us(&mn_machine_clock) - (gint64)(waited_ns / 1000);
}

static MnOutcome run(const MnTask *task, MnParcel *question, MnParcel *answer) {
    gint64 begun_us = spent_us();
    int r = question->is_cut ? -EMFILE : task->run(question, answer);

    return (MnOutcome){ .r = r, .spent_us = (guint32)CLAMP(spent_us() - begun_us, 0, G_MAXUINT32) };
}

static void serve(int socket, gpointer data G_GNUC_UNUSED) {
    gint64 word;

    for (;;) {
        g_auto(MnParcel) question = { 0 }, answer = { 0 };
        MnOutcome outcome;
        int r;

        mn_parcel_init(&question);
        mn_parcel_init(&answer);
        do
            r = mn_parcel_receive(&question, socket, 0, &word);
        while (r == 0);
        if (r < 0)
            return; /* the parent has closed its end */

        outcome = run((const MnTask *)(gsize)word, &question, &answer); /* its memory is ours */
        memcpy(&word, &outcome, sizeof word);
        if (mn_parcel_send(socket, word, answer.bytes->data, answer.bytes->len, (const int *)(void *)answer.fds->data,
                           answer.fds->len, 0) < 0)
            return;
    }
}

/* --- in the daemon --- */

static gboolean on_socket(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnHelperProcess *self = data;
    g_auto(MnParcel) answer = { 0 };
    MnOutcome outcome;
    gint64 word = 0;
    int r;

    r = mn_parcel_receive(&self->answer, fd, MSG_DONTWAIT, &word);
    if (r == 0 || r == -EAGAIN)
        return G_SOURCE_CONTINUE;
    answer = self->answer;
    mn_parcel_init(&self->answer);
    memcpy(&outcome, &word, sizeof outcome);
    if (answer.is_cut)
        outcome.r = -EMFILE;
    self->heard(self, r > 0, r > 0 ? outcome : (MnOutcome){ .r = -EIO }, &answer, self->data);
    return G_SOURCE_CONTINUE; /* or it has been removed */
}

int mn_helper_process_new(MnHeard heard, gpointer data, MnHelperProcess **ret) {
    MnHelperProcess *self;
    MnChild child;
    int r;

    r = mn_child_start("mn-helper", FALSE, serve, NULL, &child);
    if (r < 0)
        return r;
    self = g_new0(MnHelperProcess, 1);
    *self = (MnHelperProcess){ .child = child, .heard = heard, .data = data };
    mn_parcel_init(&self->answer);
    self->source = g_unix_fd_add(child.socket, G_IO_IN | G_IO_HUP, on_socket, self);
    *ret = self;
    return 0;
}

/* Closes what leads to it. */
static void end_process(MnHelperProcess *self) {
    g_clear_handle_id(&self->source, g_source_remove);
    if (self->child.socket < 0)
        return;
    mn_child_kill(&self->child);
    close(self->child.socket);
    self->child.socket = -1;
}

void mn_helper_process_free(MnHelperProcess *self) {
    if (!self)
        return;
    end_process(self);
    close(self->child.pidfd);
    mn_parcel_clear(&self->answer);
    g_free(self);
}

void mn_helper_process_dismiss(MnHelperProcess *self) {
    end_process(self);
    waitpid(self->child.pid, NULL, 0);
    mn_helper_process_free(self);
}

int mn_helper_process_ask(MnHelperProcess *self, const MnTask *task, GBytes *question, const int *fds, guint n_fds) {
    gsize len;
    gconstpointer bytes = g_bytes_get_data(question, &len);

    return mn_parcel_send(self->child.socket, (gsize)task, bytes, len, fds, n_fds, MSG_DONTWAIT);
}

static gboolean on_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnHelperProcess *self = data;

    waitpid(self->child.pid, NULL, 0);
    self->source = 0;
    self->ended(self->ended_data);
    return G_SOURCE_REMOVE;
}

void mn_helper_process_give_up(MnHelperProcess *self, void (*ended)(gpointer data), gpointer data) {
    end_process(self);
    self->ended = ended;
    self->ended_data = data;
    self->source = g_unix_fd_add(self->child.pidfd, G_IO_IN, on_end, self);
}

pid_t mn_helper_process_get_pid(const MnHelperProcess *self) {
    return self->child.pid;
}
