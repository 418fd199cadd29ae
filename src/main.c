/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parse, wire, mount, run. */
#include "config.h"
#include "core/number.h"
#include "daemon/capture.h"
#include "daemon/log.h"
#include "daemon/mountpoint.h"
#include "daemon/options.h"
#include "daemon/presetfile.h"
#include "daemon/works.h"
#include "fs/fs.h"
#include "kernel/helper.h"
#include "kernel/inheritance.h"
#include "kernel/manager.h"
#include "kernel/mount.h"
#include "kernel/ourselves.h"
#include "kernel/privilege.h"
#include "memcg/registration.h"

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

/* Descriptors that are not given away: the kernel's texts, requests, helper processes and what they hand over. */
#define DESCRIPTORS_RESERVED 160

#define START_AGAIN "start memnotifyfs again"

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

/* What a signal is for. */
typedef struct Running {
    GMainLoop *loop;
    MnPresetFile *preset_file; /* NULL for none */
} Running;

/* SIGHUP ends us, as it ends who does not look at it, unless there is something to read again. */
static gboolean on_signal(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    struct signalfd_siginfo info = { 0 };
    const Running *running = data;

    if (read(fd, &info, sizeof info) != sizeof info)
        return G_SOURCE_CONTINUE;
    if (info.ssi_signo == SIGHUP && running->preset_file)
        mn_preset_file_reload(running->preset_file);
    else
        g_main_loop_quit(running->loop);
    return G_SOURCE_CONTINUE;
}

/* The options that every mount of ours has. The source is shown as it was given: mount(8) knows by it that a line of
 * fstab is mounted already. */
static void add_mount_options(MnOptions *options) {
    g_autofree char *name = g_strconcat("fsname=", options->source ? options->source : "memnotifyfs", NULL);
    char *escaped = NULL;

    fuse_opt_add_opt_escaped(&escaped, name);
    fuse_opt_add_arg(&options->fuse_args, "-o");
    fuse_opt_add_arg(&options->fuse_args, escaped);
    free(escaped);
    fuse_opt_add_arg(&options->fuse_args, "-osubtype=memnotifyfs");
    fuse_opt_add_arg(&options->fuse_args, "-odefault_permissions,noatime");
    if (options->allow_other || mn_may_mount() || mn_may_allow_other())
        fuse_opt_add_arg(&options->fuse_args, "-oallow_other");
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

static void set_unreadable(GError **error, const char *name, int r, const char *remedy) {
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot read /dev/fuse for '%s': %s; %s", name,
                g_strerror(-r), remedy);
}

/* An option may be refused only now, by libfuse or by the kernel. */
static gboolean begin_to_serve(MnFs *fs, const char *mountpoint, GError **error) {
    g_autofree char *said = NULL;
    MnCapture capture;
    int r;

    mn_capture_begin(&capture);
    r = mn_fs_begin(fs);
    said = mn_capture_end(&capture);
    if (r == -ENODEV)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' was unmounted before it was served; " START_AGAIN,
                    mountpoint);
    else if (r == -EPROTO)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot serve '%s' (%s)", mountpoint, said);
    else if (r < 0)
        set_unreadable(error, mountpoint, r, START_AGAIN);
    return r == 0;
}

static void run(MnFs *fs, MnPresetFile *preset_file) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Running running = { .loop = loop, .preset_file = preset_file };
    sigset_t signals = handled_signals();
    int signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

    mn_fs_attach(fs, loop);
    g_unix_fd_add(signals_fd, G_IO_IN, on_signal, &running);
    g_main_loop_run(loop);
    close(signals_fd);
}

/* Where our mount can be seen, and as which filesystem: we may have got it as an open /dev/fuse. */
static char *find_place(const char *mountpoint, dev_t *device) {
    if (mn_mountpoint_get_descriptor(mountpoint) >= 0)
        return *device ? mn_mount_find(*device) : NULL;
    return mn_mountpoint_find_device(mountpoint, device) == 0 ? g_strdup(mountpoint) : NULL;
}

/* Whoever unmounts has done so before we hear of it; nobody has asked for an end that leaves a dead mount, or
 * that comes from an error. */
static gboolean check_end(const MnFs *fs, const char *mountpoint, const char *place, dev_t device, GError **error) {
    gboolean is_ours = mn_mountpoint_get_descriptor(mountpoint) < 0;
    gboolean is_dead = place && mn_fs_is_cut(fs) && mn_mountpoint_is_dead(place, device);
    const char *name = place ? place : mountpoint, *remedy = START_AGAIN;
    int r = mn_fs_get_error(fs);

    if (is_dead && !(is_ours && mn_mountpoint_clear(place)))
        remedy = "unmount it with 'umount -l' and start memnotifyfs again";
    if (r < 0)
        set_unreadable(error, name, r, remedy);
    else if (is_dead)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "the connection of '%s' was aborted, as by 'umount -f'; %s", name, remedy);
    return r == 0 && !is_dead;
}

static gboolean run_to_the_end(MnFs *fs, MnPresetFile *preset_file, const char *mountpoint, dev_t device,
                               GError **error) {
    g_autofree char *place = find_place(mountpoint, &device);

    run(fs, preset_file);
    return check_end(fs, mountpoint, place, device, error);
}

/* What this mount is called from one start to the next: /dev/fd/3 may be any. */
static char *identify(const char *mountpoint, dev_t device) {
    return device ? g_strdup_printf("device %u:%u", major(device), minor(device)) : g_strdup(mountpoint);
}

/* The files that clients name in memcg/ are known by the device that they are on. */
static void find_own_device(MnRegistrations *registrations, const MnOptions *options, const char *mountpoint) {
    dev_t device = options->device;

    if (!device &&
        (mn_mountpoint_get_descriptor(mountpoint) >= 0 || mn_mountpoint_find_device(mountpoint, &device) < 0))
        g_warning(
            "cannot find our own mount: memcg/ takes no registrations; '-o device=MAJOR:MINOR' tells which it is");
    mn_registrations_set_device(registrations, device);
}

static gboolean enter_background(const MnOptions *options, MnLog *log, GError **error) {
    if (fuse_daemonize(options->foreground) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot go to the background: %s", g_strerror(errno));
        return FALSE;
    }
    if (!options->foreground)
        mn_log_enter_background(log, MN_LOG_SYSTEM);
    return TRUE;
}

/* Makes the thresholds of the option. Without it there is nothing to do. */
static gboolean make_presets(const MnOptions *options, MnTree *tree, const MnServices *services, MnPresetFile **ret,
                             GError **error) {
    const MnCaller owner = { .uid = geteuid(), .gid = getegid() };

    if (!options->presets_path)
        return TRUE;
    *ret = mn_preset_file_new(options->presets_path, mn_presets_new(tree, services->board, &owner), services->board,
                              services->helper);
    return mn_preset_file_load(*ret, error);
}

static gboolean serve(MnOptions *options, MnManager *manager, MnLog *log, GError **error) {
    g_autofree char *mountpoint = NULL;
    g_autofree char *identity = NULL;
    g_autoptr(MnQuota) quota = mn_quota_new(geteuid(), mn_subtract(mn_file_limit_raise(), DESCRIPTORS_RESERVED));
    g_auto(MnWorks) works = { 0 };
    g_autoptr(MnTree) tree = NULL;
    g_autoptr(MnPresetFile) preset_file = NULL;
    g_autoptr(MnFs) fs = NULL;
    g_autoptr(MnHelper) helper = mn_helper_new(&mn_machine_clock, quota); /* these two end before who waits for them */
    g_autoptr(MnHelper) messenger = mn_helper_new(&mn_machine_clock, quota);

    mountpoint = mn_mountpoint_prepare(options->mountpoint, options->nonempty, error);
    if (!mountpoint)
        return FALSE;
    identity = identify(mountpoint, options->device);
    if (!mn_works_init(&works, options, mountpoint, identity, manager, quota, helper, messenger, error))
        return FALSE;
    tree = mn_tree_new(works.outbox, quota, geteuid(), getegid());
    mn_files_add_all(tree, &works.services);
    if (!make_presets(options, tree, &works.services, &preset_file, error))
        return FALSE;

    fs = make_fs(tree, options, error);
    if (!fs)
        return FALSE;
    block_signals(); /* from here on an early end has something to clean up */
    if (!mount_fs(fs, mountpoint, error))
        return FALSE;

    find_own_device(works.services.registrations, options, mountpoint);
    if (!begin_to_serve(fs, mountpoint, error) || !enter_background(options, log, error))
        return FALSE;
    mn_registrations_prepare(works.services.registrations);
    mn_survival_prepare();
    mn_works_begin(&works, options);
    mn_manager_tell(manager, "READY=1");
    return run_to_the_end(fs, preset_file, mountpoint, options->device, error);
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
static gboolean begin(int argc, char **argv, const MnManager *manager, MnOptions *ret, GError **error) {
    int r;

    if (!mn_options_parse(argc, argv, ret, error))
        return FALSE;
    if (is_question(ret))
        return answer(ret, argv[0], error);

    r = mn_inheritance_drop(mn_manager_get_n_fds(manager), mn_mountpoint_get_descriptor(ret->mountpoint));
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot open /dev/null: %s", g_strerror(-r));
    return r == 0;
}

int main(int argc, char **argv) {
    g_auto(MnLog) log = { 0 };
    g_auto(MnOptions) options = { 0 };
    g_autoptr(MnManager) manager = mn_manager_new();
    g_autoptr(GError) error = NULL;
    gboolean is_good;

    g_set_prgname("memnotifyfs");
    is_good = begin(argc, argv, manager, &options, &error);
    mn_log_init(&log, STDERR_FILENO);
    g_log_set_writer_func(mn_log_write_glib, &log, NULL);

    if (is_good && (is_question(&options) || serve(&options, manager, &log, &error)))
        return EXIT_SUCCESS;
    mn_log_write(&log, LOG_ERR, error->message);
    return error->domain == G_OPTION_ERROR ? EXIT_USAGE : EXIT_FAILURE;
}
