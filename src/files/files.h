/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The served tree. A new file is one function like these, in a file of its own, and one row in
 * files.c. */
#pragma once

#include "core/herd.h"
#include "fs/node.h"
#include "sampler/oomlist.h"
#include "sampler/registration.h"
#include "sampler/sampler.h"
#include "sampler/threshold.h"

#include <memnotifyfs/contract.h>

/* What the files show and change. */
typedef struct MnFilesContext {
    MnSampler *sampler;
    MnThresholds *thresholds;
    MnHerd herd; /* which zones mem_notify sees under pressure */
    MnOomList *oom_list;
    MnRegistrations *registrations;
    MnHelper *helper;           /* looks at clients and processes */
    MnHelper *messenger;        /* signals them */
    dev_t mount_device;         /* st_dev of what is served; 0 before it is mounted */
    gboolean poll_acknowledges; /* -o ack=poll: the driver's rule */
    gboolean may_simulate;      /* --simulate */
} MnFilesContext;

/* Adds all files to the root of `tree`. `context` and what it points to outlive the tree. */
void mn_files_add_all(MnTree *tree, MnFilesContext *context);

void mn_memnotify_add(MnTree *tree, MnFilesContext *context);
void mn_meters_add(MnTree *tree, MnFilesContext *context);
void mn_thresholds_add(MnTree *tree, MnFilesContext *context);
void mn_events_add(MnTree *tree, MnFilesContext *context);
void mn_parameters_add(MnTree *tree, MnFilesContext *context);
void mn_oom_notify_add(MnTree *tree, MnFilesContext *context);
void mn_mem_notify_add(MnTree *tree, MnFilesContext *context);
void mn_zoneinfo_add(MnTree *tree, MnFilesContext *context);
void mn_oom_add(MnTree *tree, MnFilesContext *context);
void mn_oom_ranking_add(MnTree *tree, MnFilesContext *context);
void mn_simulate_add(MnTree *tree, MnFilesContext *context);
void mn_memcg_add(MnTree *tree, MnFilesContext *context);
