/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The served tree. A new file is one function like these, in a file of its own, and one row in files.c; it is given
 * the service that it shows, and nothing else. */
#pragma once

#include "core/exposition.h"
#include "fs/node.h"

#include <memnotifyfs/contract.h>

typedef struct MnBoard MnBoard;
typedef struct MnHelper MnHelper;
typedef struct MnLastCall MnLastCall;
typedef struct MnMemNotify MnMemNotify;
typedef struct MnOomList MnOomList;
typedef struct MnOomNotify MnOomNotify;
typedef struct MnQuota MnQuota;
typedef struct MnRegistrations MnRegistrations;
typedef struct MnServer MnServer;
typedef struct MnThresholds MnThresholds;
typedef struct MnTriggers MnTriggers;

/* What the files show and change, for the table in files.c. */
typedef struct MnServices {
    MnQuota *quota;
    MnBoard *board;
    MnThresholds *thresholds;
    MnLastCall *last_call;
    MnOomNotify *oom_notify;
    MnOomNotify *oom_notify_critical;
    MnMemNotify *mem_notify;
    MnTriggers *triggers; /* NULL where nobody tells of stalls */
    MnOomList *oom_list;
    MnRegistrations *registrations;
    MnServer *server;           /* NULL without a socket */
    MnHelper *helper;           /* looks at clients and processes */
    MnHelper *messenger;        /* signals them */
    gboolean poll_acknowledges; /* -o ack=poll: the driver's rule */
    gboolean may_simulate;      /* --simulate */
} MnServices;

/* Adds all files to the root of `tree`. The services outlive it. */
void mn_files_add_all(MnTree *tree, const MnServices *services);

void mn_memnotify_add(MnTree *tree, MnBoard *board, gboolean poll_acknowledges);
void mn_meters_add(MnTree *tree, MnBoard *board);
void mn_thresholds_add(MnTree *tree, MnThresholds *thresholds);
void mn_errors_add(MnTree *tree);
void mn_events_add(MnTree *tree, MnThresholds *thresholds, MnLastCall *last_call);
void mn_last_call_add_file(MnTree *tree, MnLastCall *last_call);
void mn_parameters_add(MnTree *tree, MnBoard *board);
void mn_users_add(MnTree *tree, MnQuota *quota);
void mn_metrics_add(MnTree *tree, const char *name, MnExpositionFormat format, MnBoard *board, MnThresholds *thresholds,
                    MnRegistrations *registrations, MnServer *server);
void mn_oom_notify_add(MnTree *tree, const char *name, MnOomNotify *device, MnHelper *helper, MnHelper *messenger);
void mn_mem_notify_add(MnTree *tree, MnMemNotify *device, MnBoard *board, MnHelper *helper, MnHelper *messenger);
void mn_zoneinfo_add(MnTree *tree, MnBoard *board, MnMemNotify *device);
void mn_pressure_add(MnTree *tree, MnTriggers *triggers, MnBoard *board);
void mn_oom_add(MnTree *tree, MnOomList *list);
void mn_oom_ranking_add(MnTree *tree, MnHelper *helper);
void mn_memcg_add(MnTree *tree, MnBoard *board, MnRegistrations *registrations);
void mn_socket_add(MnTree *tree, MnServer *server);
void mn_simulate_add(MnTree *tree, MnBoard *board);
