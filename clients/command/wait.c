/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify wait: returns when limits are reached, or when none of them is any more. */
#include "client.h"
#include "duration.h"
#include "message.h"

#include "loop/clock.h"

#include <errno.h>
#include <poll.h>

typedef struct Waiting {
    memnotifyfs *client;
    gint64 deadline_us; /* G_MAXINT64: none */
    gboolean wants_left;
    guint n_reached; /* limits */
} Waiting;

/* Takes all that there is to tell. -errno, as when limits are refused by a server that came back. */
static int take_events(Waiting *self) {
    struct memnotifyfs_event event;
    int r;

    while ((r = memnotifyfs_next(self->client, &event)) > 0) {
        if (event.kind == MEMNOTIFYFS_REACHED)
            self->n_reached++;
        else if (event.kind == MEMNOTIFYFS_LEFT)
            self->n_reached--;
    }
    return r;
}

static gboolean has_come(const Waiting *self) {
    return self->wants_left ? self->n_reached == 0 : self->n_reached > 0;
}

/* In milliseconds for poll(2), rounded up; -1: for ever. */
static int time_left_ms(const Waiting *self) {
    gint64 us;

    if (self->deadline_us == G_MAXINT64)
        return -1;
    us = self->deadline_us - mn_clock_now_us(&mn_machine_clock);
    return us <= 0 ? 0 : (int)MIN((us + 999) / 1000, G_MAXINT);
}

static int wait_for_it(Waiting *self) {
    struct pollfd waiter = { .fd = memnotifyfs_get_fd(self->client), .events = POLLIN };

    for (;;) {
        int r = take_events(self), ms;

        if (r < 0)
            return cmd_fail("cannot wait any more: %s", g_strerror(-r));
        if (has_come(self))
            return CMD_OK;
        ms = time_left_ms(self);
        if (ms == 0)
            return CMD_TIMED_OUT;
        r = poll(&waiter, 1, ms);
        if (r > 0 && cmd_client_is_away(self->client))
            return cmd_client_fail_away();
    }
}

static int wait_run(char ***argv) {
    g_autofree char *timeout = NULL;
    gint64 timeout_us = -1;
    gboolean wants_left = FALSE;
    const GOptionEntry own[] = {
        { "timeout", 't', 0, G_OPTION_ARG_STRING, &timeout, "End after so long, with status 124", "TIME" },
        { "left", 'l', 0, G_OPTION_ARG_NONE, &wants_left, "Wait until none of them is reached", NULL },
        { 0 },
    };
    g_autoptr(memnotifyfs) client = NULL;
    Waiting waiting = { .deadline_us = G_MAXINT64 };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&cmd_wait, own, 1, 1, argv, &options);
    int status;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!cmd_duration_take("--timeout", timeout, &timeout_us))
        return CMD_MISUSED;
    status = cmd_client_open(&options, options.arguments[0], &client);
    if (status != CMD_OK)
        return status;

    waiting.client = client;
    waiting.wants_left = wants_left;
    if (timeout_us >= 0)
        waiting.deadline_us = mn_clock_now_us(&mn_machine_clock) + timeout_us;
    return wait_for_it(&waiting);
}

const CmdVerb cmd_wait = {
    .name = "wait",
    .arguments = "LIMITS",
    .summary = "end when they are reached",
    .run = wait_run,
};
