/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Its number stays the group's as long as anybody is in it, so that no other group is signalled. */
#include "run.h"

#include "message.h"

#include "kernel/process.h"
#include "loop/alarm.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* From SIGTERM to SIGKILL. */
#define GRACE_US (2 * G_TIME_SPAN_SECOND)

/* Between two looks for who is left of the group: of those that are not our children nobody tells us. */
#define LOOK_US (G_TIME_SPAN_SECOND / 20)

typedef enum Stage {
    RUNS,
    IS_STOPPED,
    IS_KILLED
} Stage;

struct CmdRun {
    MnChild child;
    char *name;
    Stage stage;
    gint64 began_us;
    gint64 most_us;
    gint64 kill_us;     /* once it is stopped: when it is killed */
    gboolean has_ended; /* the process; there may be others in its group */
    int status;
    guint source;
    MnAlarm *alarm;
    void (*ended)(int status, gpointer data);
    gpointer data;
};

static gint64 now_us(void) {
    return mn_clock_now_us(&mn_machine_clock);
}

static void signal_group(const CmdRun *self, int number) {
    (void)kill(-self->child.pid, number);
}

static gboolean lives_in(pid_t pid, pid_t group) {
    MnProcessStat stat;

    return pid > 0 && getpgid(pid) == group && mn_process_read_stat(pid, &stat) == 0 && !strchr("ZX", stat.state);
}

/* The kernel counts those, too, who have ended and whom init has not waited for yet. */
static gboolean has_group(const CmdRun *self) {
    g_autoptr(GDir) proc = NULL;
    const char *name;

    if (kill(-self->child.pid, 0) < 0 && errno != EPERM)
        return FALSE;
    proc = mn_process_proc_is_ours() ? g_dir_open("/proc", 0, NULL) : NULL;
    if (!proc)
        return TRUE;
    while ((name = g_dir_read_name(proc)))
        if (lives_in(mn_process_pid_of(name), self->child.pid))
            return TRUE;
    return FALSE;
}

static void kill_group(CmdRun *self) {
    signal_group(self, SIGKILL);
    self->stage = IS_KILLED;
}

/* Tells of the end when there is nothing more to wait for. The last that is done with it. */
static void go_on(CmdRun *self) {
    if (!self->has_ended)
        mn_alarm_set(self->alarm, self->stage == RUNS         ? self->began_us + self->most_us
                                  : self->stage == IS_STOPPED ? self->kill_us
                                                              : G_MAXINT64);
    else if (self->stage == IS_STOPPED && has_group(self))
        mn_alarm_set(self->alarm, MIN(self->kill_us, now_us() + LOOK_US));
    else
        self->ended(self->status, self->data);
}

static void on_alarm(gpointer data) {
    CmdRun *self = data;

    if (self->stage == RUNS) {
        cmd_warn("'%s' has taken longer than --kill-after allows, and is sent SIGTERM", self->name);
        cmd_run_stop(self);
        return;
    }
    if (self->stage == IS_STOPPED && now_us() >= self->kill_us && (!self->has_ended || has_group(self))) {
        cmd_warn("'%s' has not ended 2 s after SIGTERM, and is sent SIGKILL", self->name);
        kill_group(self);
    }
    go_on(self);
}

static gboolean on_end(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    CmdRun *self = data;

    if (waitpid(self->child.pid, &self->status, 0) < 0)
        self->status = 0; /* somebody else has; nobody does */
    self->source = 0;
    self->has_ended = TRUE;
    go_on(self);
    return G_SOURCE_REMOVE;
}

/* It says so right before; where it could not, only what was ended by a signal may not have begun. */
gboolean cmd_run_has_begun(const CmdRun *self) {
    char byte;

    return recv(self->child.socket, &byte, sizeof byte, MSG_DONTWAIT) == sizeof byte || !WIFSIGNALED(self->status);
}

CmdRun *cmd_run_new(const MnChild *child, const char *name, gint64 most_us, void (*ended)(int status, gpointer data),
                    gpointer data) {
    CmdRun *self = g_new0(CmdRun, 1);

    *self = (CmdRun){ .child = *child, .name = g_strdup(name), .most_us = most_us, .ended = ended, .data = data };
    self->began_us = now_us();
    self->most_us = MIN(most_us, G_MAXINT64 - self->began_us);
    self->alarm = mn_alarm_new(&mn_machine_clock, "run", on_alarm, self);
    self->source = g_unix_fd_add(child->pidfd, G_IO_IN, on_end, self);
    go_on(self);
    return self;
}

void cmd_run_free(CmdRun *self) {
    if (!self)
        return;
    g_clear_handle_id(&self->source, g_source_remove);
    mn_alarm_free(self->alarm);
    close(self->child.socket);
    close(self->child.pidfd);
    g_free(self->name);
    g_free(self);
}

void cmd_run_stop(CmdRun *self) {
    if (self->stage == RUNS) {
        signal_group(self, SIGTERM);
        self->stage = IS_STOPPED;
        self->kill_us = now_us() + GRACE_US;
    } else {
        kill_group(self);
    }
    go_on(self);
}
