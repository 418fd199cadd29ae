/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/amount.h"
#include "core/eventcontrol.h"
#include "core/meter.h"
#include "core/stallshare.h"
#include "script/scenariotexts.h"

/* A scenario as it is written, understood: memnotifyfs-scenario(5). */

typedef enum MnScenarioOp {
    MN_SCENARIO_SET,    /* all targets, at once */
    MN_SCENARIO_OVER,   /* all targets, in `us` */
    MN_SCENARIO_AT,     /* until it is `us` since the beginning, or since that of the turn */
    MN_SCENARIO_REPEAT, /* what follows up to its END, `times` times */
    MN_SCENARIO_END,
    MN_SCENARIO_NOISE, /* targets[0] up or down, from now on */
    MN_SCENARIO_EVERY, /* moments are `us` apart while something moves */
    MN_SCENARIO_STALL, /* the shares of `stalls`, from now on */
    MN_SCENARIO_OOM,   /* memory runs out */
    MN_SCENARIO_PRESS, /* pages are reclaimed, as hard as `level` */
} MnScenarioOp;

/* What is to be how much. */
typedef enum MnScenarioAim {
    MN_SCENARIO_METER,
    MN_SCENARIO_MEMORY, /* of the machine, or the limit of the group */
    MN_SCENARIO_SWAP,
    MN_SCENARIO_ARC,
    MN_SCENARIO_NODE, /* what is free of it */
} MnScenarioAim;

typedef struct MnScenarioTarget {
    MnScenarioAim aim;
    MnMeterId meter;
    guint node;
    MnAmount amount;
    gsize at; /* in the text, where it is asked for */
} MnScenarioTarget;

typedef struct MnScenarioStep {
    MnScenarioOp op;
    gint64 us;
    guint times;
    guint seed;
    guint first, n; /* targets */
    MnStallChoice stalls;
    MnPressure level;
    gsize at;
} MnScenarioStep;

typedef struct MnScenarioPlan {
    MnScenarioMachine machine; /* of which the scenario tells, at its beginning */
    guint64 host_pages;        /* memory of the machine, where that is a group */
    gboolean has_arc;
    MnScenarioNodes nodes;
    GArray *steps;   /* MnScenarioStep */
    GArray *targets; /* MnScenarioTarget */
} MnScenarioPlan;

/* The most times that something is repeated, in how many others it may be, and the longest time. */
#define MN_SCENARIO_TIMES_MAX 1000000
#define MN_SCENARIO_DEPTH_MAX 8
#define MN_SCENARIO_TIME_MAX_US (10000 * G_TIME_SPAN_DAY)

void mn_scenario_plan_clear(MnScenarioPlan *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnScenarioPlan, mn_scenario_plan_clear)

/* -EINVAL, with what is wrong in *fault, and *ret to be cleared in any case. */
int mn_scenario_parse(const char *text, gsize len, MnFault *fault, MnScenarioPlan *ret) G_GNUC_WARN_UNUSED_RESULT;
