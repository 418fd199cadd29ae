/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command line asks for, put together: from the probe, which looks at the world, over the board, which tells of
 * it, to the services that the files show. */
#include "works.h"

#include "devices/mem_notify.h"
#include "devices/oom_notify.h"
#include "board/lastcall.h"
#include "daemon/mountpoint.h"
#include "devices/triggers.h"
#include "kernel/ourselves.h"
#include "memcg/registration.h"
#include "oom/scores.h"
#include "quota/quota.h"
#include "socket/server.h"
#include "thresholds/threshold.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* After a user has left. */
#define TIDY_AFTER_US G_TIME_SPAN_SECOND

/* A script that lacks what meters are made of. */
static void set_unusable(GError **error, const char *path, const char *name, int r) {
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot play '%s': %s%s%s", path, name ? name : "",
                name ? ": " : "", r == -EBADMSG || r == -ENOENT ? "it is damaged or lacks MemTotal" : g_strerror(-r));
}

static MnProbe *make_replay(const MnOptions *options, GError **error) {
    const MnReplayOption *option = &options->replay;
    MnProbe *probe = NULL;
    MnScript *script;
    const char *name;
    int r;

    if (!mn_script_open(option->path, &script, error))
        return NULL;
    r = mn_probe_new_replay(script, options->subject != MN_SUBJECT_SYSTEM, &probe, &name);
    if (r < 0) {
        set_unusable(error, option->path, name, r);
        return NULL;
    }
    mn_replay_set_speed(mn_probe_get_replay(probe), option->speed);
    return probe;
}

static MnProbe *make_probe(const MnOptions *options, GError **error) {
    MnProbe *probe = NULL;
    const char *name;
    int r;

    r = mn_probe_new(options->proc_directory, &probe, &name);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use '%s%s%s': %s", options->proc_directory,
                    name ? "/" : "", name ? name : "",
                    r == -EBADMSG ? "it is damaged or lacks MemTotal" : g_strerror(-r));
    return probe;
}

static const char *why_no_own_group(int r) {
    return r == -ENOENT  ? "no group controls our memory"
           : r == -ENXIO ? "it is not among those that are mounted here"
                         : g_strerror(-r);
}

/* A copy of /proc was asked for to see that machine, whatever group we are in. A limit that we cannot see is not taken for
 * none without a word. */
static MnGroup *find_limited_group(const MnOptions *options) {
    g_autoptr(MnGroup) group = NULL;
    int r;

    if (strcmp(options->proc_directory, MN_PROC_DIRECTORY) != 0)
        return NULL;
    r = mn_group_new_own(&group);
    if (r < 0 && r != -ENOENT)
        g_warning("cannot tell whether our control group has a limit (%s): showing the memory of the machine; "
                  "--source=cgroup=DIR names the group, --source=system says that this is meant",
                  why_no_own_group(r));
    return r == 0 && mn_group_is_limited(group) ? g_steal_pointer(&group) : NULL;
}

static MnGroup *open_group(const char *directory, GError **error) {
    MnGroup *group = NULL;
    int r;

    r = directory ? mn_group_new(directory, &group) : mn_group_new_own(&group);
    if (r < 0 && directory)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use the cgroup '%s': %s", directory,
                    r == -ENOENT ? "there is no memory controller in it" : g_strerror(-r));
    else if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use our own cgroup: %s; see /proc/self/cgroup",
                    why_no_own_group(r));
    return group;
}

/* Lets the probe show the memory that was asked for. */
static gboolean choose_subject(MnProbe *probe, const MnOptions *options, GError **error) {
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

    r = mn_probe_set_group(probe, group, &name);
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
        if (!options->may_simulate && strcmp(options->proc_directory, MN_PROC_DIRECTORY) == 0 &&
            mn_memcg_new_own(ret) < 0)
            *ret = NULL;
        return TRUE;
    }

    r = mn_memcg_new(directory, ret);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot use the cgroup '%s': %s", directory,
                    r == -ENOENT ? "there is no memory controller in it" : g_strerror(-r));
    return r == 0;
}

/* The probe of what was asked for. */
static MnProbe *find_probe(const MnOptions *options, GError **error) {
    g_autoptr(MnProbe) probe = NULL;
    MnMemcg *memcg;

    if (options->replay.path)
        return make_replay(options, error);
    probe = make_probe(options, error);
    if (!probe || !choose_subject(probe, options, error) || !find_memcg(options, &memcg, error))
        return NULL;
    mn_probe_set_memcg(probe, memcg);
    return g_steal_pointer(&probe);
}

/* Whose clock is that of what is played, if anything is. */
static MnBoard *make_board(const MnOptions *options, MnOutbox *outbox, GError **error) {
    MnProbe *probe = find_probe(options, error);
    MnReplay *replay = probe ? mn_probe_get_replay(probe) : NULL;
    MnBoard *board = NULL;
    int r;

    if (!probe)
        return NULL;
    r = mn_board_new(probe, replay ? mn_replay_get_clock(replay) : &mn_machine_clock, outbox, &options->parameters,
                     &board);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot read how much memory is used: %s",
                    g_strerror(-r));
    return board;
}

static MnRegistrations *make_registrations(MnBoard *board, MnQuota *quota, MnHelper *helper, GError **error) {
    MnRegistrations *registrations = NULL;
    int r;

    r = mn_registrations_new(board, quota, helper, &registrations);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot prepare registrations: %s", g_strerror(-r));
    return registrations;
}

/* First puts back what an earlier daemon may have left. */
static MnOomList *make_oom_list(const MnOptions *options, MnStateFile *state, MnQuota *quota, MnHelper *helper,
                                GError **error) {
    MnOomList *list = NULL;
    int r;

    mn_scores_recover(state, helper);
    r = mn_oom_list_new(options->oom_mode, state, quota, helper, &list);
    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot watch processes: %s", g_strerror(-r));
    return list;
}

static MnOomKiller *make_oom_killer(const MnOptions *options, MnBoard *board, MnOomList *list, MnHelper *messenger,
                                    GError **error) {
    const char *text = options->oom_limit;
    MnFault fault = { 0 };
    MnLimitSet limits;

    if (mn_limit_set_parse(text, strlen(text), mn_board_get_machine(board), &fault, &limits) < 0 || limits.n == 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "bad value in 'oom_limit=%s': %s%sa limit such as 'available<2%%' is needed", text, fault.reason,
                    fault.reason[0] ? "; " : "");
        return NULL;
    }
    return mn_oom_killer_new(board, list, &limits, options->oom_grace_ms, messenger);
}

static gboolean make_oom(MnWorks *self, const MnOptions *options, const char *identity, GError **error) {
    MnServices *services = &self->services;

    self->state = mn_state_file_new(identity);
    services->oom_list = make_oom_list(options, self->state, services->quota, services->helper, error);
    if (!services->oom_list || !options->oom_limit)
        return services->oom_list != NULL;
    self->oom_killer = make_oom_killer(options, services->board, services->oom_list, services->messenger, error);
    return self->oom_killer != NULL;
}

static const char *why_no_socket(int r) {
    return r == -EADDRINUSE ? "another program serves it" : r == -EEXIST ? "there is something else" : g_strerror(-r);
}

/* Beside the mount point, if nothing else was asked for. */
static char *choose_socket_path(const MnOptions *options, const char *mountpoint, GError **error) {
    if (*options->socket_path)
        return g_strdup(options->socket_path);
    if (mn_mountpoint_get_descriptor(mountpoint) < 0)
        return g_strconcat(mountpoint, MEMNOTIFYFS_SOCKET_SUFFIX, NULL);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--socket needs a path where '%s' is the mount point",
                mountpoint);
    return NULL;
}

static gboolean listen_at(MnServer *server, const char *path, GError **error) {
    int r = mn_server_listen(server, path);

    if (r < 0)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot make the socket '%s': %s", path,
                    why_no_socket(r));
    return r == 0;
}

/* Where one is asked for, or handed over. */
static gboolean make_server(const MnOptions *options, const char *mountpoint, MnManager *manager, MnServices *services,
                            GError **error) {
    g_autofree char *path = NULL;
    int r;

    if (!options->socket_path && mn_manager_get_n_fds(manager) == 0)
        return TRUE;
    r = mn_server_new(services->board, services->triggers, services->last_call, services->quota, services->helper,
                      manager, &services->server);
    if (r < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot serve a socket: %s", g_strerror(-r));
        return FALSE;
    }
    mn_server_take_over(services->server, manager);
    if (!options->socket_path)
        return TRUE;
    path = choose_socket_path(options, mountpoint, error);
    return path && listen_at(services->server, path, error);
}

/* What many users let go of one by one is given back to the machine together. */
static void tidy_up(gpointer data) {
    MnWorks *self = data;

    self->is_untidy = FALSE;
    mn_memory_give_back();
}

static void on_user_left(gpointer data) {
    MnWorks *self = data;

    if (self->is_untidy || !mn_memory_is_ample())
        return;
    self->is_untidy = TRUE;
    mn_alarm_set(self->tidying, mn_clock_now_us(&mn_machine_clock) + TIDY_AFTER_US);
}

static void make_devices(MnServices *services) {
    services->oom_notify = mn_oom_notify_new(services->board, MN_SHORTAGE_ORDINARY);
    services->oom_notify_critical = mn_oom_notify_new(services->board, MN_SHORTAGE_CRITICAL);
    services->mem_notify = mn_mem_notify_new(services->board);
}

gboolean mn_works_init(MnWorks *ret, const MnOptions *options, const char *mountpoint, const char *identity,
                       MnManager *manager, MnQuota *quota, MnHelper *helper, MnHelper *messenger, GError **error) {
    MnServices *services = &ret->services;

    *ret = (MnWorks){ .outbox = mn_outbox_new(&mn_machine_clock),
                      .services = { .quota = quota,
                                    .helper = helper,
                                    .messenger = messenger,
                                    .poll_acknowledges = options->poll_acknowledges,
                                    .may_simulate = options->may_simulate } };
    ret->tidying = mn_alarm_new(&mn_machine_clock, "tidying", tidy_up, ret);
    mn_quota_set_left(quota, on_user_left, ret);
    services->board = make_board(options, ret->outbox, error);
    if (!services->board)
        return FALSE;
    services->thresholds = mn_thresholds_new(services->board, quota);
    services->last_call = mn_last_call_new(services->board, helper);
    if (options->may_simulate || mn_board_get_machine(services->board)->offers_zones)
        make_devices(services);
    if (options->may_simulate || mn_board_get_machine(services->board)->offers_stalls)
        services->triggers = mn_triggers_new(services->board);
    services->registrations = make_registrations(services->board, quota, helper, error);
    return services->registrations && make_oom(ret, options, identity, error) &&
           make_server(options, mountpoint, manager, services, error);
}

void mn_works_begin(MnWorks *self, const MnOptions *options) {
    MnReplay *replay = mn_probe_get_replay(mn_board_get_probe(self->services.board));

    mn_state_file_begin(self->state);
    if (replay && options->replay.starts_now)
        mn_replay_start(replay);
}

void mn_works_clear(MnWorks *self) {
    MnServices *services = &self->services;

    mn_server_free(services->server);
    mn_oom_killer_free(self->oom_killer);
    mn_oom_list_free(services->oom_list);
    mn_state_file_free(self->state);
    mn_registrations_free(services->registrations);
    mn_triggers_free(services->triggers);
    mn_mem_notify_free(services->mem_notify);
    mn_oom_notify_free(services->oom_notify_critical);
    mn_oom_notify_free(services->oom_notify);
    mn_last_call_free(services->last_call);
    mn_thresholds_free(services->thresholds);
    mn_board_free(services->board);
    mn_outbox_free(self->outbox);
    mn_alarm_free(self->tidying);
    *self = (MnWorks){ 0 };
}
