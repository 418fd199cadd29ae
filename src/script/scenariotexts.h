/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/eventcontrol.h"
#include "core/stall.h"
#include "script/scenariomachine.h"

#define MN_SCENARIO_NODES_MAX 8

/* What the kernel counts while memory changes. */
typedef struct MnScenarioCounters {
    guint64 swapped_out; /* pages, as all that follow */
    guint64 swapped_in;
    guint64 scanned; /* by kswapd */
    guint64 scanned_direct;
    guint64 scanned_anon; /* of both */
    guint64 reclaimed;
    guint64 reclaimed_direct;
    guint64 kswapd_runs;
    guint64 direct_runs;
    guint64 ooms;
} MnScenarioCounters;

/* Counts what it takes to come from the one to the other. */
void mn_scenario_counters_move(MnScenarioCounters *self, const MnScenarioMachine *from, const MnScenarioMachine *to);

/* Counts a try to reclaim, as hard as the level says. */
void mn_scenario_counters_press(MnScenarioCounters *self, MnPressure level);

/* A node of the machine; all but the first are given as they are. */
typedef struct MnScenarioNode {
    guint64 pages;
    guint64 free; /* G_MAXUINT64: its part of what is free */
} MnScenarioNode;

typedef struct MnScenarioNodes {
    guint n;
    MnScenarioNode nodes[MN_SCENARIO_NODES_MAX];
} MnScenarioNodes;

/* What there is at a moment. */
typedef struct MnScenarioView {
    const MnScenarioMachine *machine;
    guint64 host_pages; /* of the machine, where that is a group: it is idle */
    const MnScenarioNodes *nodes;
    const MnScenarioCounters *counters;
    MnStalls stalls;
} MnScenarioView;

/* Appends a text, in the kernel's format: one of these names, which end with NULL. Those of a group are below
 * MN_SCENARIO_GROUP, and are of v2. */
void mn_scenario_print(const MnScenarioView *view, const char *name, GString *text);
extern const char *const mn_scenario_names[];
#define MN_SCENARIO_GROUP "cgroup/0/"
