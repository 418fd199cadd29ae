/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "standby.h"

#include "message.h"

#include "kernel/ourselves.h"
#include "loop/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until a fork that has failed is tried again. */
#define RETRY_US G_TIME_SPAN_SECOND

struct CmdStandby {
    const CmdProgram *reached;
    const CmdProgram *left;
    CmdEnvironment *environment;
    char score[16]; /* oom_score_adj that we had; "" when it is not known */
    gboolean is_waiting;
    MnChild child; /* while it is */
    guint source;  /* that tells of its end */
    MnAlarm *retry;
};

/* --- in the process --- */

/* Nobody told of anything that was there before is to be ended by it, nor to go without it. */
static void reset_signals(void) {
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* of two it cannot be changed */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Returns where the score is to be written; -1: nowhere. */
static int prepare(CmdStandby *self, int socket) {
    static const CmdCause rehearsal;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), score_fd = -1;

    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) < 0)
        _exit(1);
    setpgid(0, 0);
    reset_signals();
    if (self->score[0])
        score_fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    (void)cmd_environment_fill(self->environment, &rehearsal);
    (void)mn_memory_hold(); /* or less of it, as mn_child_start() has it */
    return score_fd;
}

static void stand_by(int socket, gpointer data) {
    CmdStandby *self = data;
    int score_fd = prepare(self, socket);
    CmdCause cause;
    char **environment;

    if (TEMP_FAILURE_RETRY(recv(socket, &cause, sizeof cause, 0)) != sizeof cause)
        return; /* we have ended */
    environment = cmd_environment_fill(self->environment, &cause);
    if (score_fd >= 0 && write(score_fd, self->score, strlen(self->score)) < 0)
        cmd_warn("cannot put back oom_score_adj: %s; the OOM killer spares the command", g_strerror(errno));
    prctl(PR_SET_PDEATHSIG, SIGTERM);                       /* SIGKILL until now */
    (void)send(socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* see cmd_run_has_begun() */
    _exit(cmd_program_execute(cause.is_left ? self->left : self->reached, environment));
}

/* --- in memnotify --- */

static void on_retry(gpointer data) {
    (void)cmd_standby_prepare(data);
}

CmdStandby *cmd_standby_new(const CmdProgram *reached, const CmdProgram *left) {
    CmdStandby *self = g_new0(CmdStandby, 1);

    self->reached = reached;
    self->left = left;
    self->environment = cmd_environment_new();
    self->retry = mn_alarm_new(&mn_machine_clock, "standby", on_retry, self);
    return self;
}

static void retry_later(CmdStandby *self) {
    mn_alarm_set(self->retry, mn_clock_now_us(&mn_machine_clock) + RETRY_US);
}

static void let_go(CmdStandby *self) {
    g_clear_handle_id(&self->source, g_source_remove);
    self->is_waiting = FALSE;
}

static void bury(CmdStandby *self) {
    mn_child_kill(&self->child);
    let_go(self);
    close(self->child.socket);
    close(self->child.pidfd);
    waitpid(self->child.pid, NULL, 0);
}

void cmd_standby_free(CmdStandby *self) {
    if (!self)
        return;
    if (self->is_waiting)
        bury(self);
    mn_alarm_free(self->retry);
    cmd_environment_free(self->environment);
    g_free(self);
}

void cmd_standby_protect_us(CmdStandby *self) {
    int before = 0;

    if (mn_oom_score_lower(&before) == 0)
        g_snprintf(self->score, sizeof self->score, "%d", before);
    (void)mn_memory_hold();
}

static gboolean on_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    CmdStandby *self = data;

    bury(self);
    retry_later(self);        /* not at once: what has killed it may do so again */
    return G_SOURCE_CONTINUE; /* it has been removed */
}

static int start(CmdStandby *self) {
    int r;

    if (self->is_waiting)
        return 0;
    r = mn_child_start("mn-standby", FALSE, stand_by, self, &self->child);
    if (r < 0)
        return r;
    self->is_waiting = TRUE;
    self->source = g_unix_fd_add(self->child.pidfd, G_IO_IN, on_end, self);
    setpgid(self->child.pid, self->child.pid); /* it does so, too; whoever is first */
    (void)mn_memory_hold();                    /* as ours is shared with it now */
    return 0;
}

int cmd_standby_prepare(CmdStandby *self) {
    int r = start(self);

    if (r < 0)
        retry_later(self);
    return r;
}

static int tell(CmdStandby *self, const CmdCause *cause) {
    return send(self->child.socket, cause, sizeof *cause, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int cmd_standby_begin(CmdStandby *self, const CmdCause *cause, MnChild *ret) {
    int r = self->is_waiting ? tell(self, cause) : -EPIPE;

    if (r == -EPIPE) { /* it was killed, be that known already or not */
        if (self->is_waiting)
            bury(self);
        r = start(self);
        if (r == 0)
            r = tell(self, cause);
    }
    if (r < 0)
        return r;
    let_go(self);
    *ret = self->child;
    return 0;
}
