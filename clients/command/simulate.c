/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify simulate: lets memory look as it is told to, for good or for a while. */
#include "client.h"
#include "duration.h"
#include "patience.h"
#include "putback.h"
#include "message.h"
#include "where.h"

#include "core/override.h"
#include "loop/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ALL_METERS (MN_METER_BIT(MN_N_METERS) - 1)

/* What the server has said no to is parsed here only to say why. */
static int refuse(const char *place, const char *words, int r) {
    const MnMachine machine = { .page_bytes = (guint)cmd_page_bytes(), .offered = ALL_METERS, .offers_stalls = TRUE };
    MnOverride override;
    MnFault fault = { 0 };

    if (r != -EINVAL)
        return cmd_client_fail_open(place, r);
    if (mn_override_parse(words, strlen(words), &machine, &fault, &override) == 0)
        return cmd_misuse("simulate: refused; see 'errors' in the mount");
    return cmd_misuse_text("simulate: words", words, &fault);
}

static int open_simulate(const CmdOptions *options, struct mount *mount, int *ret_fd) {
    g_autofree char *path = NULL;
    int r = cmd_where_find_mount(options->place, mount, &path), fd;

    if (r < 0)
        return cmd_client_fail_open(options->place, r);
    fd = mount_open_file(mount, MEMNOTIFYFS_SIMULATE, O_WRONLY);
    if (fd == -ENOENT)
        return cmd_fail("memnotifyfs at '%s' does not simulate: it was started without --simulate", path);
    if (fd == -EACCES)
        return cmd_fail("only the owner of the mount at '%s' may simulate", path);
    if (fd < 0)
        return cmd_client_fail_open(path, fd);
    *ret_fd = fd;
    return CMD_OK;
}

/* --- for a while --- */

/* Until the time is over, or somebody wants us to end. Returns that signal, or 0. */
static int sleep_for(int signals_fd, gint64 time_us) {
    struct pollfd waiter = { .fd = signals_fd, .events = POLLIN };
    gint64 end_us = mn_clock_now_us(&mn_machine_clock) + time_us, left_us;
    struct signalfd_siginfo signal;

    while ((left_us = end_us - mn_clock_now_us(&mn_machine_clock)) > 0)
        if (poll(&waiter, 1, (int)MIN((left_us + 999) / 1000, G_MAXINT)) > 0 &&
            read(signals_fd, &signal, sizeof signal) == sizeof signal)
            return (int)signal.ssi_signo;
    return 0;
}

/* From before the write on they wait, so that none of them ends us without what was there being put back. */
static int block_signals(void) {
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* *ret_back is what ends it again, to be freed. */
static int begin(const struct mount *mount, int fd, const char *words, char **ret_back) {
    g_autoptr(GString) before = g_string_new(NULL);
    g_autoptr(GString) after = g_string_new(NULL);
    int r = cmd_where_read(mount, MEMNOTIFYFS_SIMULATE, before);

    if (r == 0)
        r = mount_write(fd, words);
    if (r < 0)
        return r;
    r = cmd_where_read(mount, MEMNOTIFYFS_SIMULATE, after);
    *ret_back = r == 0 ? cmd_putback_words(before->str, after->str) : g_strdup("reset");
    return 0;
}

static int simulate_for(const struct mount *mount, int fd, const char *words, gint64 time_us) {
    g_autofree char *back = NULL;
    int signals_fd = block_signals(), number, r;

    r = signals_fd < 0 ? -errno : begin(mount, fd, words, &back);
    if (r < 0)
        return refuse(NULL, words, r);
    number = sleep_for(signals_fd, time_us);
    r = mount_write(fd, back);
    if (r < 0 && r != -ENOTCONN) /* with the server its simulation has ended, too */
        return cmd_fail("cannot put back what was there (%s): %s; 'memnotify simulate reset' ends all", back,
                        g_strerror(-r));
    return number == 0 ? CMD_OK : 128 + number;
}

static int simulate_run(char ***argv) {
    g_autofree char *time = NULL, *words = NULL;
    gint64 time_us = -1;
    const GOptionEntry own[] = {
        { "for", 'f', 0, G_OPTION_ARG_STRING, &time, "Put back what was there after so long, or when interrupted",
          "TIME" },
        { 0 },
    };
    g_autoptr(CmdPatience) patience = NULL;
    struct mount mount = { .root_fd = -1 };
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&cmd_simulate, own, 1, G_MAXUINT, argv, &options);
    int fd = -1, r;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    if (!cmd_duration_take("--for", time, &time_us))
        return CMD_MISUSED;
    patience = cmd_patience_new(options.place);
    r = open_simulate(&options, &mount, &fd);
    if (r != CMD_OK)
        return r;

    words = g_strjoinv(" ", options.arguments);
    if (time_us >= 0) {
        g_clear_pointer(&patience, cmd_patience_free); /* who puts back must not be ended before */
        return simulate_for(&mount, fd, words, time_us);
    }
    r = mount_write(fd, words);
    return r < 0 ? refuse(options.place, words, r) : CMD_OK;
}

const CmdVerb cmd_simulate = {
    .name = "simulate",
    .arguments = "WORDS | reset",
    .summary = "let memory look short: 'available 2%'",
    .run = simulate_run,
};
