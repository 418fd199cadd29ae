/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify-exporter: an HTTP server for Prometheus, and for people. */
#include "listen.h"
#include "live.h"
#include "message.h"
#include "mounts.h"
#include "options.h"
#include "web.h"

#include "duration.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

#define INTERVAL_US_DEFAULT (2 * G_TIME_SPAN_SECOND)
#define INTERVAL_US_LEAST (G_TIME_SPAN_SECOND / 10)

/* Who has gone is found out when he is sent something, and proxies do not wait for ever. */
#define INTERVAL_US_MOST (30 * G_TIME_SPAN_SECOND)

#define PROCESSES_DEFAULT 20
#define PROCESSES_MAX 1000
#define PROCESSES_BY_PLACE G_MININT

typedef struct Settings {
    char **addresses;
    char **mounts;
    char **hosts;
    gint64 interval_us;
    int n_processes;
} Settings;

static gboolean on_signal(gpointer data) {
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

/* What /proc tells everybody here is nobody's business elsewhere, if it was not asked for. */
static guint count_processes(const Settings *settings, const ExpListen *listen) {
    if (settings->n_processes == PROCESSES_BY_PLACE)
        return listen->is_public ? 0 : PROCESSES_DEFAULT;
    return (guint)settings->n_processes;
}

static int serve(const Settings *settings, ExpMounts *mounts, const ExpListen *listen, GMainLoop *loop) {
    guint interval_ms = (guint)(settings->interval_us / G_TIME_SPAN_MILLISECOND);
    ExpWeb *web = exp_web_new(mounts, exp_live_new(mounts, interval_ms, count_processes(settings, listen)),
                              !listen->is_public, settings->hosts);

    for (guint i = 0; i < listen->fds->len; i++) {
        int r = exp_web_serve(web, g_array_index(listen->fds, int, i));

        if (r < 0)
            return cmd_fail("cannot serve: %s", g_strerror(-r));
    }
    fflush(stdout);
    g_main_loop_run(loop);
    return CMD_OK;
}

static int start(const Settings *settings, const char *place) {
    static ExpMounts mounts; /* a thread that waits for one of them may do so to the end */
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    ExpListen listen;
    int status;

    status = exp_mounts_init(&mounts, settings->mounts, place);
    if (status != CMD_OK)
        return status;
    signal(SIGPIPE, SIG_IGN);
    g_unix_signal_add(SIGTERM, on_signal, loop); /* before there is a socket to remove */
    g_unix_signal_add(SIGINT, on_signal, loop);
    status = exp_listen_init(&listen, settings->addresses);
    if (status == CMD_OK)
        status = serve(settings, &mounts, &listen, loop);
    exp_listen_end(&listen);
    return status;
}

static int exporter_run(char ***argv);

static const CmdVerb exporter = {
    .name = "memnotify-exporter",
    .summary = "serves metrics for Prometheus by HTTP, and a page that shows memory",
    .is_program = TRUE,
    .run = exporter_run,
};

static int exporter_run(char ***argv) {
    Settings settings = { .interval_us = INTERVAL_US_DEFAULT, .n_processes = PROCESSES_BY_PLACE };
    g_autofree char *interval = NULL;
    const GOptionEntry own[] = {
        { "listen", 'l', 0, G_OPTION_ARG_STRING_ARRAY, &settings.addresses,
          "HOST:PORT, or a path (default: " EXP_LISTEN_DEFAULT ")", "ADDRESS" },
        { "host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings.hosts, "A name that a proxy calls it by", "NAME" },
        { "mount", 'm', 0, G_OPTION_ARG_STRING_ARRAY, &settings.mounts, "One of several, with its label", "NAME=PATH" },
        { "interval", 0, 0, G_OPTION_ARG_STRING, &interval, "The page looks so often (default: 2s)", "TIME" },
        { "processes", 0, 0, G_OPTION_ARG_INT, &settings.n_processes, "The page shows so many (default: 20)", "N" },
        { 0 },
    };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&exporter, own, 0, 0, argv, &options);
    int status;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!cmd_duration_take("--interval", interval, &settings.interval_us))
        return CMD_MISUSED;
    if (settings.interval_us < INTERVAL_US_LEAST || settings.interval_us > INTERVAL_US_MOST)
        return cmd_misuse("--interval: '%s' is not between 100ms and 30s", interval);
    if (settings.n_processes != PROCESSES_BY_PLACE &&
        (settings.n_processes < 0 || settings.n_processes > PROCESSES_MAX))
        return cmd_misuse("--processes: %d is not between 0 and %d", settings.n_processes, PROCESSES_MAX);
    status = start(&settings, options.place);
    g_strfreev(settings.addresses);
    g_strfreev(settings.hosts);
    return status;
}

int main(int argc G_GNUC_UNUSED, char **argv) {
    return cmd_main_program(&exporter, argv);
}
