/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of what is served: a row for each file or directory, with what it is given. */
#include "files.h"

/* What looks at zones. */
static void add_devices(MnTree *tree, const MnServices *s) {
    mn_oom_notify_add(tree, MEMNOTIFYFS_OOM_NOTIFY, s->oom_notify, s->helper, s->messenger);
    mn_oom_notify_add(tree, MEMNOTIFYFS_OOM_NOTIFY_CRITICAL, s->oom_notify_critical, s->helper, s->messenger);
    mn_mem_notify_add(tree, s->mem_notify, s->board, s->helper, s->messenger);
    mn_zoneinfo_add(tree, s->board, s->mem_notify);
}

void mn_files_add_all(MnTree *tree, const MnServices *s) {
    mn_memnotify_add(tree, s->board, s->poll_acknowledges);
    mn_meters_add(tree, s->board);
    mn_thresholds_add(tree, s->thresholds);
    mn_events_add(tree, s->thresholds, s->last_call);
    mn_last_call_add_file(tree, s->last_call);
    mn_errors_add(tree);
    mn_parameters_add(tree, s->board);
    mn_users_add(tree, s->quota);
    mn_metrics_add(tree, MEMNOTIFYFS_METRICS, MN_EXPOSITION_OPENMETRICS, s->board, s->thresholds, s->registrations,
                   s->server);
    mn_metrics_add(tree, MEMNOTIFYFS_METRICS_PROM, MN_EXPOSITION_TEXT, s->board, s->thresholds, s->registrations,
                   s->server);
    if (s->mem_notify)
        add_devices(tree, s);
    if (s->triggers)
        mn_pressure_add(tree, s->triggers, s->board);
    mn_oom_add(tree, s->oom_list);
    mn_oom_ranking_add(tree, s->helper);
    mn_memcg_add(tree, s->board, s->registrations);
    if (s->server)
        mn_socket_add(tree, s->server);
    if (s->may_simulate)
        mn_simulate_add(tree, s->board);
}
