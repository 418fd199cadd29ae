/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify-oomd: a pre-kill hook of systemd-oomd, which tells the members of a control group that it is about to be killed. */
#include "client.h"
#include "duration.h"
#include "hook.h"
#include "message.h"

#include "kernel/manager.h"
#include "kernel/ourselves.h"
#include "socket/listener.h"

#include <errno.h>
#include <glib-unix.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRACE_US_DEFAULT (G_TIME_SPAN_SECOND / 2)
#define GRACE_US_MOST G_TIME_SPAN_MINUTE

#define SOCKET_DEFAULT HOOK_DIRECTORY "/memnotify"
#define USER_DEFAULT "systemd-oom"
#define USER_BYTES 4096

typedef struct Settings {
    const char *path; /* NULL: it is not ours to make */
    int fd;
    uid_t uid;
    gint64 grace_us;
} Settings;

static gboolean on_signal(gpointer data) {
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

/* The one that the service manager hands over; else we make it. */
static int listen_for_it(Settings *settings) {
    g_autoptr(MnManager) manager = mn_manager_new();
    int r;

    if (mn_manager_get_n_fds(manager) > 0) {
        settings->fd = mn_manager_take_fd(manager, 0);
        settings->path = NULL;
        return CMD_OK;
    }
    if (g_str_has_prefix(settings->path, HOOK_DIRECTORY "/") && mkdir(HOOK_DIRECTORY, 0755) < 0 && errno != EEXIST)
        return cmd_fail("cannot make '%s': %s", HOOK_DIRECTORY, g_strerror(errno));
    r = mn_listener_bind(settings->path, &settings->fd);
    return r < 0 ? cmd_fail("cannot listen at '%s': %s", settings->path,
                            r == -EADDRINUSE ? "somebody serves it already" : g_strerror(-r))
                 : CMD_OK;
}

/* What allocates comes before: there may be no memory when it is called. A server may come later. */
static void serve(const Settings *settings, const char *place, GMainLoop *loop) {
    LastCall *last_call = last_call_new(place);
    int r = last_call_open(last_call);

    if (r < 0) {
        g_autofree char *why = cmd_client_explain(place, r);

        cmd_warn("%s; it is looked for at each call", why);
    }
    hook_new(settings->fd, last_call, settings->uid, (guint)(settings->grace_us / G_TIME_SPAN_MILLISECOND));
    mn_survival_prepare();
    g_main_loop_run(loop);
    last_call_free(last_call);
}

/* Signals are caught before there is a socket to remove. */
static int start(Settings *settings, const char *place) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    int status;

    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_unix_signal_add(SIGINT, on_signal, loop);
    status = listen_for_it(settings);
    if (status != CMD_OK)
        return status;
    serve(settings, place, loop);
    if (settings->path)
        unlink(settings->path);
    return CMD_OK;
}

/* Where there is no systemd-oomd there is no such user. */
static int find_user(const char *name, uid_t *ret) {
    char text[USER_BYTES];
    struct passwd entry, *user = NULL;

    (void)getpwnam_r(name ? name : USER_DEFAULT, &entry, text, sizeof text, &user);
    if (!user && name)
        return cmd_misuse("--user: there is no user '%s'", name);
    *ret = user ? entry.pw_uid : (uid_t)-1;
    return CMD_OK;
}

static int oomd_run(char ***argv);

static const CmdVerb oomd = {
    .name = "memnotify-oomd",
    .summary = "tells members of a control group that systemd-oomd is about to kill it",
    .is_program = TRUE,
    .run = oomd_run,
};

static int oomd_run(char ***argv) {
    g_autofree char *path = NULL, *user = NULL, *grace = NULL;
    Settings settings = { .grace_us = GRACE_US_DEFAULT };
    const GOptionEntry own[] = {
        { "socket", 's', 0, G_OPTION_ARG_FILENAME, &path, "Be called there, and not where systemd-oomd looks", "PATH" },
        { "grace", 'g', 0, G_OPTION_ARG_STRING, &grace, "What they have left (default: 500ms)", "TIME" },
        { "user", 'u', 0, G_OPTION_ARG_STRING, &user, "Who may call, beside root (default: " USER_DEFAULT ")", "NAME" },
        { 0 },
    };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&oomd, own, 0, 0, argv, &options);
    int status;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!cmd_duration_take("--grace", grace, &settings.grace_us))
        return CMD_MISUSED;
    if (settings.grace_us > GRACE_US_MOST)
        return cmd_misuse("--grace: '%s' is too long; 1m is the longest", grace);
    settings.path = path ? path : SOCKET_DEFAULT;
    status = find_user(user, &settings.uid);
    return status == CMD_OK ? start(&settings, options.place) : status;
}

int main(int argc G_GNUC_UNUSED, char **argv) {
    return cmd_main_program(&oomd, argv);
}
