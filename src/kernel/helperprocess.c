/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process is a copy of the daemon that has closed all that the daemon has open, so a task's address means the same
 * on both sides. It lives as long as its end of a socket leads to somebody, and no longer than the daemon. */
#include "helperprocess.h"

#include "kernel/child.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void serve(int socket) {
    gint64 word;

    for (;;) {
        g_auto(MnParcel) question = { 0 }, answer = { 0 };
        const MnTask *task;
        int r;

        mn_parcel_init(&question);
        mn_parcel_init(&answer);
        do
            r = mn_parcel_receive(&question, socket, 0, &word);
        while (r == 0);
        if (r < 0)
            return; /* the parent has closed its end */

        task = (const MnTask *)(gsize)word; /* its memory is ours */
        r = question.is_cut ? -EMFILE : task->run(&question, &answer);
        if (mn_parcel_send(socket, r, answer.bytes->data, answer.bytes->len, (const int *)(void *)answer.fds->data,
                           answer.fds->len, 0) < 0)
            return;
    }
}

/* --- in the daemon --- */

static gboolean on_socket(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnHelperProcess *self = data;
    g_auto(MnParcel) answer = { 0 };
    gint64 word;
    int r;

    r = mn_parcel_receive(&self->answer, fd, MSG_DONTWAIT, &word);
    if (r == 0 || r == -EAGAIN)
        return G_SOURCE_CONTINUE;
    answer = self->answer;
    mn_parcel_init(&self->answer);
    self->heard(self, r > 0, r < 0 ? -EPIPE : answer.is_cut ? -EMFILE : (int)word, &answer, self->data);
    return G_SOURCE_CONTINUE; /* or it has been removed */
}

int mn_helper_process_new(MnHeard heard, gpointer data, MnHelperProcess **ret) {
    MnHelperProcess *self;
    MnChild child;
    int r;

    r = mn_child_start("mn-helper", FALSE, serve, &child);
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
