/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse, wire, mount, run. */
#include "capture.h"
#include "config.h"
#include "files/files.h"
#include "fs/fs.h"
#include "inheritance.h"
#include "log.h"
#include "mountpoint.h"
#include "options.h"
#include "privilege.h"
#include "sampler/oomkiller.h"
#include "survival.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* Signals come through a descriptor: GLib's own sources for them would start a thread. */
static sigset_t handled_signals(void) {
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

static void block_signals(void) {
    sigset_t signals = handled_signals();

    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* a terminal may stop who writes to it from the background */
}

static gboolean on_signal(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer loop) {
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

/* The options that every mount of ours has. */
static void add_mount_options(MnOptions *options) {
    fuse_opt_add_arg(&options->fuse_args, "-ofsname=memnotifyfs,subtype=memnotifyfs");
    fuse_opt_add_arg(&options->fuse_args, "-odefault_permissions,noatime");
    if (options->allow_other || mn_may_mount() || mn_may_allow_other())
        fuse_opt_add_arg(&options->fuse_args, "-oallow_other");
}

static MnSampler *make_sampler(const MnOptions *options, GError **error) {
    MnSampler *sampler = NULL;
    const char *name;
    int r;

    r = mn_sampler_new(options->proc_directory, &options->parameters, &sampler, &name);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use '%s%s%s': %s", options->proc_directory,
                    name ? "/" : "", name ? name : "",
                    r == -EBADMSG ? "it is damaged or lacks MemTotal" : g_strerror(-r));
    return sampler;
}

static MnOomKiller *make_oom_killer(const MnOptions *options, MnSampler *sampler, MnOomList *list, MnHelper *messenger,
                                    GError **error) {
    const char *text = options->oom_limit;
    MnLimitSet limits;

    if (mn_limit_set_parse(text, strlen(text), mn_sampler_get_machine(sampler), &limits) < 0 || limits.n == 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "bad value in 'oom_limit=%s': a limit such as 'available<2%%' is needed", text);
        return NULL;
    }
    return mn_oom_killer_new(sampler, list, &limits, options->oom_grace_ms, messenger);
}

/* First puts back what an earlier daemon may have left. */
static MnOomList *make_oom_list(const MnOptions *options, MnStateFile *state, MnHelper *helper, GError **error) {
    MnOomList *list = NULL;
    int r;

    mn_oom_list_recover(state, helper);
    r = mn_oom_list_new(options->oom_mode, state, helper, &list);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot watch processes: %s", g_strerror(-r));
    return list;
}

/* A copy of /proc was asked for to see that machine, whatever group we are in. */
static MnGroup *find_limited_group(const MnOptions *options) {
    g_autoptr(MnGroup) group = NULL;

    if (strcmp(options->proc_directory, "/proc") != 0 || mn_group_new_own(&group) < 0 || !mn_group_is_limited(group))
        return NULL;
    return g_steal_pointer(&group);
}

static MnGroup *open_group(const char *directory, GError **error) {
    MnGroup *group = NULL;
    int r;

    r = directory ? mn_group_new(directory, &group) : mn_group_new_own(&group);
    if (r < 0 && directory)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use the cgroup '%s': %s", directory,
                    r == -ENOENT ? "there is no memory controller in it" : g_strerror(-r));
    else if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "cannot use our own cgroup: no memory controller can be seen here; see /proc/self/cgroup");
    return group;
}

/* Lets the sampler show the memory that was asked for. */
static gboolean choose_subject(MnSampler *sampler, const MnOptions *options, GError **error) {
    MnGroup *group = NULL;
    const char *name;
    int r;

    switch (options->subject) {
    case MN_SUBJECT_SYSTEM:
        return TRUE;
    case MN_SUBJECT_AUTO:
        group = find_limited_group(options);
        if (!group)
            return TRUE;
        break;
    case MN_SUBJECT_CGROUP:
        group = open_group(options->cgroup_directory, error);
        if (!group)
            return FALSE;
    }

    r = mn_sampler_set_group(sampler, group, &name);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use '%s' of the cgroup: %s", name,
                    g_strerror(-r));
    return r == 0;
}

/* The group of memcg/: the one that was asked for, for it or for the meters, else our own, unless memory
 * is not this machine's. NULL without an error for the whole system. */
static gboolean find_memcg(const MnOptions *options, MnMemcg **ret, GError **error) {
    const char *directory = options->memcg_directory ? options->memcg_directory : options->cgroup_directory;
    int r;

    *ret = NULL;
    if (!directory) {
        if (!options->may_simulate && strcmp(options->proc_directory, "/proc") == 0 && mn_memcg_new_own(ret) < 0)
            *ret = NULL;
        return TRUE;
    }

    r = mn_memcg_new(directory, ret);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use the cgroup '%s': %s", directory,
                    r == -ENOENT ? "there is no memory controller in it" : g_strerror(-r));
    return r == 0;
}

static MnRegistrations *make_registrations(MnSampler *sampler, MnMemcg *memcg, MnHelper *helper, GError **error) {
    MnRegistrations *registrations = NULL;
    int r;

    r = mn_registrations_new(sampler, memcg, helper, &registrations);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot open /dev/null: %s", g_strerror(-r));
    return registrations;
}

static MnFs *make_fs(MnTree *tree, MnOptions *options, GError **error) {
    g_autofree char *said = NULL;
    MnFs *fs = NULL;
    MnCapture capture;
    int r;

    add_mount_options(options);
    mn_capture_begin(&capture);
    r = mn_fs_new(tree, &options->fuse_args, &fs);
    said = mn_capture_end(&capture);
    if (r < 0)
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s; see --help", said);
    return fs;
}

static gboolean mount_fs(MnFs *fs, const char *mountpoint, GError **error) {
    g_autofree char *said = NULL;
    MnCapture capture;
    int r;

    mn_capture_begin(&capture);
    r = mn_fs_mount(fs, mountpoint);
    said = mn_capture_end(&capture);
    if (r < 0) {
        const char *why = mn_why_no_mount();

        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot mount at '%s' (%s)%s%s", mountpoint, said,
                    why ? "; " : "", why ? why : "");
    }
    return r == 0;
}

static void run(MnFs *fs) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    sigset_t signals = handled_signals();
    int signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

    mn_fs_attach(fs, loop);
    g_unix_fd_add(signals_fd, G_IO_IN, on_signal, loop);
    g_main_loop_run(loop);
    close(signals_fd);
}

/* Where our mount can be seen, and as which filesystem: we may have got it as an open /dev/fuse. */
static char *find_place(const char *mountpoint, dev_t *device) {
    if (mn_mountpoint_get_descriptor(mountpoint) >= 0)
        return *device ? mn_mountpoint_find(*device) : NULL;
    return mn_mountpoint_find_device(mountpoint, device) == 0 ? g_strdup(mountpoint) : NULL;
}

/* Whoever unmounts has done so before we hear of it; nobody has asked for an end that leaves a dead mount, or
 * that comes from an error. */
static gboolean check_end(const MnFs *fs, const char *mountpoint, const char *place, dev_t device, GError **error) {
    gboolean is_ours = mn_mountpoint_get_descriptor(mountpoint) < 0;
    gboolean is_dead = place && mn_fs_is_cut(fs) && mn_mountpoint_is_dead(place, device);
    const char *name = place ? place : mountpoint, *remedy = "start memnotifyfs again";
    int r = mn_fs_get_error(fs);

    if (is_dead && !(is_ours && mn_mountpoint_clear(place)))
        remedy = "unmount it with 'umount -l' and start memnotifyfs again";
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot read /dev/fuse for '%s': %s; %s", name,
                    g_strerror(-r), remedy);
    else if (is_dead)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "the connection of '%s' was aborted, as by 'umount -f'; %s", name, remedy);
    return r == 0 && !is_dead;
}

static gboolean run_to_the_end(MnFs *fs, const char *mountpoint, dev_t device, GError **error) {
    g_autofree char *place = find_place(mountpoint, &device);

    run(fs);
    return check_end(fs, mountpoint, place, device, error);
}

/* What this mount is called from one start to the next: /dev/fd/3 may be any. */
static char *identify(const char *mountpoint, dev_t device) {
    return device ? g_strdup_printf("device %u:%u", major(device), minor(device)) : g_strdup(mountpoint);
}

static gboolean serve(MnOptions *options, MnLog *log, GError **error) {
    g_autofree char *mountpoint = NULL;
    g_autofree char *identity = NULL;
    g_autoptr(MnMemcg) memcg = NULL;
    g_autoptr(MnSampler) sampler = NULL;
    g_autoptr(MnThresholds) thresholds = NULL;
    g_autoptr(MnStateFile) state = NULL;
    g_autoptr(MnOomList) oom_list = NULL;
    g_autoptr(MnOomKiller) oom_killer = NULL;
    g_autoptr(MnRegistrations) registrations = NULL;
    g_autoptr(MnTree) tree = NULL;
    g_autoptr(MnFs) fs = NULL;
    g_autoptr(MnHelper) helper = mn_helper_new(); /* these two end before those who are waiting for them */
    g_autoptr(MnHelper) messenger = mn_helper_new();
    MnFilesContext context;

    mountpoint = mn_mountpoint_prepare(options->mountpoint, options->nonempty, error);
    if (!mountpoint)
        return FALSE;
    if (!find_memcg(options, &memcg, error))
        return FALSE;
    sampler = make_sampler(options, error);
    if (!sampler || !choose_subject(sampler, options, error))
        return FALSE;
    registrations = make_registrations(sampler, memcg, helper, error);
    if (!registrations)
        return FALSE;

    identity = identify(mountpoint, options->device);
    state = mn_state_file_new(identity);
    oom_list = make_oom_list(options, state, helper, error);
    if (!oom_list)
        return FALSE;
    if (options->oom_limit) {
        oom_killer = make_oom_killer(options, sampler, oom_list, messenger, error);
        if (!oom_killer)
            return FALSE;
    }

    thresholds = mn_thresholds_new(sampler);
    context = (MnFilesContext){ .sampler = sampler,
                                .thresholds = thresholds,
                                .oom_list = oom_list,
                                .registrations = registrations,
                                .helper = helper,
                                .messenger = messenger,
                                .poll_acknowledges = options->poll_acknowledges,
                                .may_simulate = options->may_simulate };
    tree = mn_tree_new(geteuid(), getegid());
    mn_files_add_all(tree, &context);

    fs = make_fs(tree, options, error);
    if (!fs)
        return FALSE;
    block_signals(); /* from here on an early end has something to clean up */
    if (!mount_fs(fs, mountpoint, error))
        return FALSE;

    context.mount_device = options->device;
    if (!options->device && (mn_mountpoint_get_descriptor(mountpoint) >= 0 ||
                             mn_mountpoint_find_device(mountpoint, &context.mount_device) < 0))
        g_warning(
            "cannot find our own mount: memcg/ takes no registrations; '-o device=MAJOR:MINOR' tells which it is");
    if (fuse_daemonize(options->foreground) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot go to the background: %s", g_strerror(errno));
        return FALSE;
    }
    if (!options->foreground)
        mn_log_enter_background(log, MN_LOG_SYSTEM);
    mn_survival_prepare();
    mn_state_file_begin(state);
    return run_to_the_end(fs, mountpoint, options->device, error);
}

/* Who asked is told, or that he could not be. */
static gboolean answer(const MnOptions *options, const char *program, GError **error) {
    if (options->show_help)
        mn_options_print_help(program);
    else
        printf("memnotifyfs %s\n", MN_VERSION);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;

    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot write to standard output: %s", g_strerror(errno));
    return FALSE;
}

static gboolean is_question(const MnOptions *options) {
    return options->show_help || options->show_version;
}

/* Reads the command line, and does what comes before anything is opened. */
static gboolean begin(int argc, char **argv, MnOptions *ret, GError **error) {
    int r;

    if (!mn_options_parse(argc, argv, ret, error))
        return FALSE;
    if (is_question(ret))
        return answer(ret, argv[0], error);

    r = mn_inheritance_drop(mn_mountpoint_get_descriptor(ret->mountpoint));
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot open /dev/null: %s", g_strerror(-r));
    return r == 0;
}

int main(int argc, char **argv) {
    g_auto(MnLog) log = { 0 };
    g_auto(MnOptions) options = { 0 };
    g_autoptr(GError) error = NULL;
    gboolean is_good;

    g_set_prgname("memnotifyfs");
    is_good = begin(argc, argv, &options, &error);
    mn_log_init(&log, STDERR_FILENO);
    g_log_set_writer_func(mn_log_write_glib, &log, NULL);

    if (is_good && (is_question(&options) || serve(&options, &log, &error)))
        return EXIT_SUCCESS;
    mn_log_write(&log, LOG_ERR, error->message);
    return error->domain == G_OPTION_ERROR ? EXIT_USAGE : EXIT_FAILURE;
}
