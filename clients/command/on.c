/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify on: runs a command when limits are reached. From the event to the command nothing is allocated, neither here
 * nor in the process that becomes the command: there may be no memory then. */
#include "client.h"
#include "duration.h"
#include "event.h"
#include "message.h"
#include "run.h"
#include "standby.h"

#include "core/number.h"
#include "kernel/inheritance.h"
#include "loop/alarm.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until a run that could not be begun is tried again. */
#define RETRY_US G_TIME_SPAN_SECOND

/* What the command line says. */
typedef struct Wishes {
    CmdOptions options;
    CmdProgram reached;
    CmdProgram left; /* its path is NULL: nothing */
    gboolean ends_after_one;
    gint64 cooldown_us;
    gint64 timeout_us; /* -1: none */
    gint64 most_us;    /* for a run; G_MAXINT64: none */
} Wishes;

typedef struct On {
    const Wishes *wishes;
    memnotifyfs *client;
    CmdRunner runner;
    CmdStandby *standby;
    CmdRun *run;               /* NULL: there is none */
    const CmdProgram *program; /* that runs */
    MnAlarm *wake;             /* when the runner is to be asked */
    MnAlarm *timeout;
    int signals_fd;
    GMainLoop *loop;
    gboolean is_ending;
    gboolean is_away; /* the server */
    int status;
} On;

static gint64 now_us(void) {
    return mn_clock_now_us(&mn_machine_clock);
}

/* --- the end --- */

/* When what runs has ended. */
static void end(On *self, int status) {
    if (!self->is_ending)
        self->status = status;
    self->is_ending = TRUE;
    if (self->run)
        cmd_run_stop(self->run);
    else
        g_main_loop_quit(self->loop);
}

static gboolean on_signal(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    On *self = data;
    struct signalfd_siginfo signal;

    if (read(fd, &signal, sizeof signal) != sizeof signal)
        return G_SOURCE_CONTINUE;
    end(self, CMD_OK);
    return G_SOURCE_CONTINUE;
}

static void on_timeout(gpointer data) {
    end(data, CMD_TIMED_OUT);
}

/* --- runs --- */

static void begin_due(On *self);

/* As a shell has it. */
static int status_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void report(const char *name, int status) {
    if (WIFSIGNALED(status))
        cmd_warn("'%s' was ended by signal %d (%s)", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        cmd_warn("'%s' has ended with status %d", name, WEXITSTATUS(status));
}

static void on_ended(int status, gpointer data) {
    On *self = data;
    gboolean has_begun = cmd_run_has_begun(self->run);

    g_clear_pointer(&self->run, cmd_run_free);
    if (has_begun)
        cmd_runner_end(&self->runner, now_us());
    else
        cmd_runner_revoke(&self->runner);
    if (self->is_ending) {
        g_main_loop_quit(self->loop);
    } else if (has_begun && self->wishes->ends_after_one) {
        end(self, status_of(status));
    } else {
        if (has_begun)
            report(self->program->shown, status);
        begin_due(self);
    }
}

/* What allocates comes after the command was told. */
static int begin(On *self, const CmdCause *cause) {
    MnChild child;
    int r;

    r = cmd_standby_begin(self->standby, cause, &child);
    if (r < 0)
        return r;
    self->program = cause->is_left ? &self->wishes->left : &self->wishes->reached;
    cmd_runner_begin(&self->runner);
    mn_alarm_stop(self->timeout);
    self->run = cmd_run_new(&child, self->program->shown, self->wishes->most_us, on_ended, self);
    if (!self->wishes->ends_after_one)
        (void)cmd_standby_prepare(self->standby); /* or it is tried again */
    return 0;
}

static void begin_due(On *self) {
    const CmdCause *cause = self->is_ending ? NULL : cmd_runner_get_due(&self->runner, now_us());
    gint64 wake_us;
    int r = cause ? begin(self, cause) : 0;

    wake_us = r < 0 ? now_us() + RETRY_US : cmd_runner_get_wake_us(&self->runner);
    mn_alarm_set(self->wake, wake_us);
}

static void on_wake(gpointer data) {
    begin_due(data);
}

/* --- events --- */

static void take_crossing(On *self, const struct memnotifyfs_event *event) {
    const CmdEvent dated = { .what = *event };
    guint64 page_bytes = cmd_page_bytes();
    CmdCause cause = {
        .is_left = event->kind == MEMNOTIFYFS_LEFT,
        .value_bytes = mn_multiply(event->value_pages, page_bytes),
        .limit_bytes = mn_multiply(event->limit_pages, page_bytes),
        .date_us = cmd_event_get_date_us(&dated),
    };

    if (cause.is_left && !self->wishes->left.path)
        return;
    g_strlcpy(cause.meter, event->meter, sizeof cause.meter);
    cmd_runner_add(&self->runner, &cause);
    begin_due(self);
}

static void take_event(On *self, const struct memnotifyfs_event *event) {
    switch (event->kind) {
    case MEMNOTIFYFS_REACHED:
    case MEMNOTIFYFS_LEFT:
        take_crossing(self, event);
        break;
    case MEMNOTIFYFS_RECONNECTED:
        self->is_away = FALSE;
        cmd_warn("memnotifyfs is there again");
        break;
    case MEMNOTIFYFS_REMOVED:
        cmd_warn("the control group whose memory is shown has been removed; waiting for it to return");
        break;
    default:
        break;
    }
}

static gboolean on_news(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    On *self = data;
    struct memnotifyfs_event event;
    gboolean is_told = FALSE;
    int r;

    while (!self->is_ending && (r = memnotifyfs_next(self->client, &event)) != 0) {
        if (r < 0) {
            end(self, cmd_fail("cannot wait any more: %s",
                               r == -EINVAL ? memnotifyfs_get_error(self->client, NULL) : g_strerror(-r)));
            return G_SOURCE_REMOVE;
        }
        take_event(self, &event);
        is_told = TRUE;
    }
    if (!is_told && !self->is_away && !self->is_ending && cmd_client_is_away(self->client)) {
        self->is_away = TRUE;
        cmd_warn("memnotifyfs has ended; waiting for it to come back");
    }
    return self->is_ending ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* --- the beginning --- */

/* Those of them that end a program by default, not those that nohup(1) or a shell has us ignore. -1: errno. */
static int catch_signals(void) {
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    struct sigaction action;
    sigset_t signals;

    sigemptyset(&signals);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would leave no status of a command */
    signal(SIGPIPE, SIG_IGN); /* who reads what we say may go, and we go on */
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int on_init(On *self, const Wishes *wishes) {
    int r;

    *self = (On){ .wishes = wishes, .signals_fd = catch_signals() };
    if (self->signals_fd < 0)
        return cmd_fail("cannot wait for signals: %s", g_strerror(errno));
    r = cmd_client_open(&wishes->options, wishes->options.arguments[0], &self->client);
    if (r != CMD_OK)
        return r;
    cmd_runner_init(&self->runner, wishes->cooldown_us);
    self->loop = g_main_loop_new(NULL, FALSE);
    self->wake = mn_alarm_new(&mn_machine_clock, "wake", on_wake, self);
    self->timeout = mn_alarm_new(&mn_machine_clock, "timeout", on_timeout, self);
    self->standby = cmd_standby_new(&wishes->reached, wishes->left.path ? &wishes->left : NULL);
    g_unix_fd_add(self->signals_fd, G_IO_IN, on_signal, self);
    g_unix_fd_add(memnotifyfs_get_fd(self->client), G_IO_IN, on_news, self);

    cmd_standby_protect_us(self->standby);
    r = cmd_standby_prepare(self->standby);
    return r < 0 ? cmd_fail("cannot start a process: %s", g_strerror(-r)) : CMD_OK;
}

static void on_clear(On *self) {
    cmd_run_free(self->run);
    cmd_standby_free(self->standby);
    mn_alarm_free(self->timeout);
    mn_alarm_free(self->wake);
    g_clear_pointer(&self->loop, g_main_loop_unref);
    memnotifyfs_close(self->client);
    if (self->signals_fd >= 0)
        close(self->signals_fd);
}

static int serve(const Wishes *wishes) {
    On on;
    int status = on_init(&on, wishes);

    if (status == CMD_OK) {
        if (wishes->timeout_us >= 0)
            mn_alarm_set(on.timeout, now_us() + wishes->timeout_us);
        g_main_loop_run(on.loop);
        status = on.status;
    }
    on_clear(&on);
    return status;
}

/* --- the command line --- */

static gboolean wants_help(char *const *argv) {
    for (; *argv; argv++)
        if (strcmp(*argv, "-h") == 0 || strcmp(*argv, "--help") == 0)
            return TRUE;
    return FALSE;
}

static gboolean take_times(const char *cooldown, const char *timeout, const char *most, Wishes *wishes) {
    if (!cmd_duration_take("--cooldown", cooldown, &wishes->cooldown_us) ||
        !cmd_duration_take("--timeout", timeout, &wishes->timeout_us) ||
        !cmd_duration_take("--kill-after", most, &wishes->most_us))
        return FALSE;
    if (wishes->most_us == 0)
        cmd_misuse("--kill-after: '%s' leaves a run no time", most);
    return wishes->most_us > 0;
}

static int refuse_without_command(void) {
    return cmd_misuse("on: '--' is missing before the command, as in: memnotify on 'available<10%%' -- CMD");
}

static int on_run(char ***argv) {
    g_autofree char *left = NULL, *cooldown = NULL, *timeout = NULL, *most = NULL;
    Wishes wishes = { .timeout_us = -1, .most_us = G_MAXINT64 };
    const GOptionEntry own[] = {
        { "left", 'l', 0, G_OPTION_ARG_FILENAME, &left, "Have /bin/sh run it when a limit is left", "CMD" },
        { "cooldown", 'c', 0, G_OPTION_ARG_STRING, &cooldown, "From the end of a run to the next", "TIME" },
        { "once", 'o', 0, G_OPTION_ARG_NONE, &wishes.ends_after_one, "End after a run, with its exit status", NULL },
        { "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "End with status 124 if nothing was run by then", "TIME" },
        { "kill-after", 'k', 0, G_OPTION_ARG_STRING, &most, "End a run that takes longer", "TIME" },
        { 0 },
    };
    g_auto(GStrv) command = cmd_options_split(argv);
    CmdParsed parsed;
    int status;

    if (!command && !wants_help(*argv))
        return refuse_without_command();
    parsed = cmd_options_parse(&cmd_on, own, 1, 1, argv, &wishes.options);
    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!command) /* and what looks like a wish for help was the argument of an option */
        return refuse_without_command();
    if (!command[0])
        return cmd_misuse("on: there is no command behind '--'");
    if (!take_times(cooldown, timeout, most, &wishes))
        return CMD_MISUSED;

    status = mn_inheritance_drop(0, -1) < 0 ? cmd_fail("cannot open '/dev/null'") : CMD_OK;
    if (status == CMD_OK)
        status = cmd_program_init(&wishes.reached, command);
    if (status == CMD_OK && left)
        status = cmd_program_init_text(&wishes.left, left);
    if (status == CMD_OK)
        status = serve(&wishes);
    cmd_program_clear(&wishes.left);
    cmd_program_clear(&wishes.reached);
    return status;
}

const CmdVerb cmd_on = {
    .name = "on",
    .arguments = "LIMITS -- CMD [ARG...]",
    .summary = "run a command when they are reached",
    .run = on_run,
};
