/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify top: the whole terminal, which shows how memory changes, and who changes it. One loop waits for keys, signals,
 * the time of the next look and what the follower has found; nothing in it waits for a server. */
#include "duration.h"
#include "options.h"
#include "message.h"
#include "terminal.h"
#include "display.h"

#include "loop/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DELAY_US_DEFAULT (2 * G_TIME_SPAN_SECOND)
#define DELAY_US_LEAST (G_TIME_SPAN_SECOND / 10)

/* What '+' and '-' choose from. */
static const gint64 delays_ms[] = { 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000 };

static const int signal_numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };

enum {
    KEYS,
    SIGNALS,
    NEWS,
    N_WAITERS,
};

typedef struct Top {
    CmdFollower *follower;
    CmdScreen screen;
    CmdDisplay display;
    int signals_fd;
    gint64 next_us;  /* when to look */
    gint64 asked_us; /* when the follower was last asked */
    gboolean has_ended;
    int status;
} Top;

/* The first reason counts. */
static void end(Top *self, int status) {
    if (self->has_ended)
        return;
    self->has_ended = TRUE;
    self->status = status;
}

/* --- looks --- */

static void look(Top *self, gint64 now_us) {
    if (cmd_follower_ask(self->follower)) {
        self->display.is_late = FALSE;
        self->asked_us = now_us;
    } else {
        self->display.is_late = TRUE;
    }
    self->display.now_us = now_us;
    cmd_processes_look(self->display.processes);
    self->next_us = MAX(self->next_us + self->display.delay_us, now_us);
}

static void take_news(Top *self) {
    CmdFound found = { 0 };
    CmdEvent event;

    if (cmd_follower_take(self->follower, &found)) {
        self->display.is_late = FALSE;
        cmd_display_take(&self->display, &found, self->asked_us);
    }
    while (cmd_follower_take_event(self->follower, &event))
        cmd_display_take_event(&self->display, &event);
}

/* --- keys --- */

static void change_pace(Top *self, gboolean is_faster) {
    gint64 delay_us = self->display.delay_us, chosen_us = 0;

    for (guint i = 0; i < G_N_ELEMENTS(delays_ms); i++) {
        gint64 other_us = delays_ms[i] * 1000;

        if (is_faster ? other_us < delay_us : other_us > delay_us && chosen_us == 0)
            chosen_us = other_us;
    }
    if (chosen_us == 0)
        return;
    self->display.delay_us = chosen_us;
    self->next_us = MIN(self->next_us, mn_clock_now_us(&mn_machine_clock) + chosen_us);
}

static void take_key(Top *self, int key) {
    CmdDisplay *display = &self->display;

    if (key == 'q' || key == 'Q') {
        end(self, CMD_OK);
    } else if (display->wants_help) {
        display->wants_help = FALSE;
    } else if (key == 'h' || key == '?') {
        display->wants_help = TRUE;
    } else if (key == 'm' || key == CMD_KEY_NEXT || key == CMD_KEY_PREVIOUS) {
        cmd_display_turn(display, key == CMD_KEY_PREVIOUS);
    } else if (key == 'z') {
        display->is_zoomed = !display->is_zoomed;
    } else if (key == 'p') {
        display->is_paused = !display->is_paused;
        self->next_us = mn_clock_now_us(&mn_machine_clock);
    } else if (key == '+' || key == '-') {
        change_pace(self, key == '+');
    } else if (key == 'r') {
        cmd_processes_restart(display->processes);
        self->next_us = mn_clock_now_us(&mn_machine_clock);
    }
}

static void take_keys(Top *self) {
    int key;

    while (!self->has_ended && (key = cmd_screen_take_key()) != CMD_KEY_NONE)
        if (key != CMD_KEY_OTHER || self->display.wants_help)
            take_key(self, key);
}

/* --- signals --- */

/* As the terminal would have done it. Where nobody could let us go on, the kernel does not stop us. */
static void stop(Top *self) {
    sigset_t signals;

    cmd_screen_leave();
    sigemptyset(&signals);
    sigaddset(&signals, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &signals, NULL); /* here */
    sigprocmask(SIG_BLOCK, &signals, NULL);
    cmd_screen_return(&self->screen);
}

static void take_signals(Top *self) {
    struct signalfd_siginfo signal;

    while (!self->has_ended && read(self->signals_fd, &signal, sizeof signal) == sizeof signal) {
        switch (signal.ssi_signo) {
        case SIGWINCH:
            cmd_screen_resize(&self->screen);
            break;
        case SIGTSTP:
            stop(self);
            break;
        case SIGCONT: /* of who was stopped by SIGSTOP, too, who had no time to give the terminal back */
            cmd_screen_return(&self->screen);
            break;
        default:
            end(self, 128 + (int)signal.ssi_signo);
        }
    }
}

static int block_signals(void) {
    sigset_t signals;

    sigemptyset(&signals);
    for (guint i = 0; i < G_N_ELEMENTS(signal_numbers); i++)
        sigaddset(&signals, signal_numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- the loop --- */

static int time_left_ms(const Top *self) {
    gint64 us = self->next_us - mn_clock_now_us(&mn_machine_clock);

    return self->display.is_paused ? -1 : (int)CLAMP((us + 999) / 1000, 0, G_MAXINT);
}

static void loop(Top *self) {
    while (!self->has_ended) {
        struct pollfd waiters[N_WAITERS] = {
            [KEYS] = { .fd = STDIN_FILENO, .events = POLLIN },
            [SIGNALS] = { .fd = self->signals_fd, .events = POLLIN },
            [NEWS] = { .fd = self->display.is_paused ? -1 : cmd_follower_get_fd(self->follower), .events = POLLIN },
        };
        gint64 now_us;

        if (poll(waiters, N_WAITERS, time_left_ms(self)) < 0)
            continue;
        if (waiters[SIGNALS].revents != 0)
            take_signals(self);
        if (waiters[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
            end(self, CMD_FAILED); /* there is no terminal any more, and nobody to tell */
        else if (waiters[KEYS].revents != 0)
            take_keys(self);
        if (waiters[NEWS].revents != 0)
            take_news(self);
        now_us = mn_clock_now_us(&mn_machine_clock);
        if (!self->display.is_paused && now_us >= self->next_us)
            look(self, now_us);
        if (!self->has_ended)
            cmd_display_put(&self->display, &self->screen);
    }
}

static void say_nothing(const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
                        const char *message G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED) {
}

static int show(const char *place, gint64 delay_us) {
    Top top = { .signals_fd = -1 };
    int r, status = cmd_terminal_check();

    if (status == CMD_OK)
        status = cmd_follower_new(place, &top.follower);
    if (status != CMD_OK)
        return status;
    r = cmd_display_init(&top.display, delay_us);
    if (r == 0) {
        top.signals_fd = block_signals();
        r = top.signals_fd < 0 ? -errno : 0;
    }
    if (r < 0)
        return cmd_fail("cannot look at processes: %s", g_strerror(-r));

    status = cmd_screen_open(&top.screen);
    if (status == CMD_OK) {
        g_log_set_default_handler(say_nothing, NULL);
        cmd_follower_start(top.follower);
        top.next_us = mn_clock_now_us(&mn_machine_clock);
        loop(&top);
        cmd_screen_close();
        status = top.status;
    }
    cmd_display_clear(&top.display);
    return status;
}

static int top_run(char ***argv) {
    g_autofree char *delay = NULL;
    gint64 delay_us = DELAY_US_DEFAULT;
    const GOptionEntry own[] = {
        { "delay", 'd', 0, G_OPTION_ARG_STRING, &delay, "Look so often (default: 2s)", "TIME" },
        { 0 },
    };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&cmd_top, own, 0, 0, argv, &options);

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!cmd_duration_take("--delay", delay, &delay_us))
        return CMD_MISUSED;
    if (delay_us < DELAY_US_LEAST)
        return cmd_misuse("--delay: '%s' is too short; 100ms is the shortest", delay);
    return show(options.place, delay_us);
}

const CmdVerb cmd_top = {
    .name = "top",
    .summary = "memory over time, and who takes it",
    .run = top_run,
};
