/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process is a copy of the daemon that has closed all that the daemon has open, so a task's address means the same
 * on both sides. It lives as long as its end of a socket leads to somebody, and no longer than the daemon. */
#include "helperprocess.h"

#include "kernel/process.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FD 3
#define NAME "mn-helper"

struct MnHelperProcess {
    pid_t pid;
    int pidfd;
    int socket;      /* -1 when it was given up */
    guint source;    /* of the socket, later of the pidfd */
    MnParcel answer; /* as far as it has come */
    MnHeard heard;
    gpointer data;
    void (*ended)(gpointer data);
    gpointer ended_data;
};

/* --- in the process --- */

/* Who looks for the daemon by its name, as with pidof(1), finds no other. */
static void take_name(void) {
    gsize room = strlen(program_invocation_name);

    prctl(PR_SET_NAME, NAME);
    memset(program_invocation_name, 0, room); /* argv[0] */
    g_strlcpy(program_invocation_name, NAME, room + 1);
}

/* With the parent's privileges and memory, and nothing of what it has open. */
static G_NORETURN void serve(int socket, pid_t parent) {
    gint64 word;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    take_name();
    if (getppid() != parent || dup2(socket, SOCKET_FD) < 0)
        _exit(1);
    if (syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0) < 0) /* before 5.9 */
        for (int fd = getdtablesize() - 1; fd > SOCKET_FD; fd--)
            close(fd);
    (void)mlockall(MCL_CURRENT | MCL_ONFAULT);

    for (;;) {
        g_auto(MnParcel) question = { 0 }, answer = { 0 };
        const MnTask *task;
        int r;

        mn_parcel_init(&question);
        mn_parcel_init(&answer);
        do
            r = mn_parcel_receive(&question, SOCKET_FD, 0, &word);
        while (r == 0);
        if (r < 0)
            _exit(0); /* the parent has closed its end */

        task = (const MnTask *)(gsize)word; /* its memory is ours */
        r = question.is_cut ? -EMFILE : task->run(&question, &answer);
        if (mn_parcel_send(SOCKET_FD, r, answer.bytes->data, answer.bytes->len, (const int *)(void *)answer.fds->data,
                           answer.fds->len, 0) < 0)
            _exit(1);
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
    pid_t pid, parent = getpid();
    int sockets[2], pidfd, r;
    MnHelperProcess *self;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        serve(sockets[1], parent);
    r = pid < 0 ? -errno : mn_process_open(pid, &pidfd);
    close(sockets[1]);
    if (r < 0) {
        close(sockets[0]); /* by which it ends */
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return r == -ESRCH ? -EIO : r; /* somebody was quick to kill it */
    }

    self = g_new0(MnHelperProcess, 1);
    *self = (MnHelperProcess){ .pid = pid, .pidfd = pidfd, .socket = sockets[0], .heard = heard, .data = data };
    mn_parcel_init(&self->answer);
    self->source = g_unix_fd_add(self->socket, G_IO_IN | G_IO_HUP, on_socket, self);
    *ret = self;
    return 0;
}

/* Closes what leads to it. */
static void end_process(MnHelperProcess *self) {
    g_clear_handle_id(&self->source, g_source_remove);
    if (self->socket < 0)
        return;
    syscall(SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
    close(self->socket);
    self->socket = -1;
}

void mn_helper_process_free(MnHelperProcess *self) {
    if (!self)
        return;
    end_process(self);
    close(self->pidfd);
    mn_parcel_clear(&self->answer);
    g_free(self);
}

void mn_helper_process_dismiss(MnHelperProcess *self) {
    end_process(self);
    waitpid(self->pid, NULL, 0);
    mn_helper_process_free(self);
}

int mn_helper_process_ask(MnHelperProcess *self, const MnTask *task, GBytes *question, const int *fds, guint n_fds) {
    gsize len;
    gconstpointer bytes = g_bytes_get_data(question, &len);

    return mn_parcel_send(self->socket, (gsize)task, bytes, len, fds, n_fds, MSG_DONTWAIT);
}

static gboolean on_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnHelperProcess *self = data;

    waitpid(self->pid, NULL, 0);
    self->source = 0;
    self->ended(self->ended_data);
    return G_SOURCE_REMOVE;
}

void mn_helper_process_give_up(MnHelperProcess *self, void (*ended)(gpointer data), gpointer data) {
    end_process(self);
    self->ended = ended;
    self->ended_data = data;
    self->source = g_unix_fd_add(self->pidfd, G_IO_IN, on_end, self);
}

pid_t mn_helper_process_get_pid(const MnHelperProcess *self) {
    return self->pid;
}
