/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify watch: a line for each crossing, of limits that it is given, or of all named thresholds. */
#include "client.h"
#include "eventfile.h"
#include "patience.h"
#include "message.h"

#include "loop/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Between two looks for a server that has ended. */
#define PAUSE_MS 500

typedef struct Watch {
    CmdOptions options;
    gboolean reconnects;
} Watch;

/* Until the descriptor has something, or `ms` are over. FALSE: nobody reads any more what we print. */
static gboolean wait_for(int fd, int ms) {
    struct pollfd waiters[] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

    poll(waiters, G_N_ELEMENTS(waiters), ms);
    return !(waiters[1].revents & POLLERR);
}

/* --- of limits --- */

static int print_news(const Watch *self, memnotifyfs *client) {
    CmdEvent event = { 0 };
    int r;

    while ((r = memnotifyfs_next(client, &event.what)) > 0)
        cmd_event_print(&event, &self->options);
    return r;
}

static int watch_limits(const Watch *self, const char *limits) {
    g_autoptr(memnotifyfs) client = NULL;
    int r = cmd_client_open(&self->options, limits, &client);

    if (r != CMD_OK)
        return r;
    for (;;) {
        r = print_news(self, client);
        if (r < 0)
            return cmd_fail("cannot watch any more: %s",
                            r == -EINVAL ? memnotifyfs_get_error(client, NULL) : g_strerror(-r));
        if (!wait_for(memnotifyfs_get_fd(client), -1))
            return CMD_OK;
        if (!self->reconnects && cmd_client_is_away(client))
            return print_news(self, client), cmd_client_fail_away();
    }
}

/* --- of named thresholds --- */

static void print_event(const CmdEvent *event, gpointer data) {
    const Watch *self = data;

    cmd_event_print(event, &self->options);
}

/* Until the server ends. FALSE: nobody reads any more what we print. */
static gboolean watch_events(const Watch *self, int fd) {
    while (cmd_event_file_read(fd, print_event, (gpointer)self) == 0)
        if (!wait_for(fd, -1))
            return FALSE;
    return TRUE;
}

static void print_reconnection(const Watch *self) {
    CmdEvent event = { .what = { .kind = MEMNOTIFYFS_RECONNECTED, .time_us = mn_clock_now_us(&mn_machine_clock) } };

    cmd_event_print(&event, &self->options);
}

static int open_patiently(const char *place) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(place);

    return cmd_event_file_open(place);
}

/* There may be a socket without files, as in a container. */
static int fail_without_files(const char *place, int r) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new(place);
    g_autoptr(memnotifyfs) client = NULL;

    if (memnotifyfs_open(place, &client) < 0)
        return cmd_client_fail_open(place, r);
    return cmd_fail("there is only the socket of memnotifyfs, which does not tell of thresholds; give LIMITS, as in: "
                    "memnotify watch 'available<10%%'");
}

static int watch_thresholds(const Watch *self) {
    int fd = open_patiently(self->options.place);

    if (fd < 0)
        return fail_without_files(self->options.place, fd);
    for (;;) {
        gboolean is_read = watch_events(self, fd);

        close(fd);
        if (!is_read)
            return CMD_OK;
        if (!self->reconnects)
            return cmd_client_fail_away();
        do
            is_read = wait_for(-1, PAUSE_MS);
        while (is_read && (fd = cmd_event_file_open(self->options.place)) < 0);
        if (!is_read)
            return CMD_OK;
        print_reconnection(self);
    }
}

static int watch_run(char ***argv) {
    Watch watch = { 0 };
    const GOptionEntry own[] = {
        { "reconnect", 'r', 0, G_OPTION_ARG_NONE, &watch.reconnects, "Go on with the next server when it ends", NULL },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&cmd_watch, own, 0, 1, argv, &watch.options);

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    return watch.options.arguments[0] ? watch_limits(&watch, watch.options.arguments[0]) : watch_thresholds(&watch);
}

const CmdVerb cmd_watch = {
    .name = "watch",
    .arguments = "[LIMITS]",
    .summary = "a line for each crossing, of thresholds too",
    .prints = TRUE,
    .run = watch_run,
};
