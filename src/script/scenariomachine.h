/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/cgroup.h"
#include "core/meter.h"

/* A machine that is made up: how much of its memory is what. All parts add up to the whole, whatever is asked for, in the way
 * in which the kernel shares it out: what is asked for takes free memory first, then page cache, then swap.
 *
 * It stands for a machine, or for a control group of one. Pages of MN_SCENARIO_PAGE_BYTES. */
#define MN_SCENARIO_PAGE_BYTES 4096U

typedef struct MnScenarioMachine {
    gboolean is_group;
    guint64 total; /* without swap: the memory of the machine, or the limit of the group */
    guint64 swap_total;

    /* What is asked for. */
    guint64 anon_wish; /* with what of it is swapped out */
    guint64 file_wish; /* page cache without shmem */
    guint64 swap_wish; /* of the anonymous memory, without need */
    guint64 kernel;    /* what the kernel cannot give back */
    guint64 slab;      /* what it can */
    guint64 shmem;
    guint64 mlocked_wish; /* of the anonymous memory */
    guint64 dirty_wish;   /* of the page cache */
    guint64 arc;          /* the cache of ZFS, which the kernel knows nothing of */

    /* What comes of it: mn_scenario_machine_settle(). */
    guint64 anon;
    guint64 file;
    guint64 free;
    guint64 swap_used;
    guint64 mlocked;
    guint64 dirty;
} MnScenarioMachine;

/* Of so much memory, most of which is free. */
void mn_scenario_machine_init(MnScenarioMachine *self, gboolean is_group, guint64 total_pages);

/* The zone watermarks of all, as the kernel computes them: vm.min_free_kbytes is the root of 16 times the memory in KiB. 0 for
 * a group. */
guint64 mn_scenario_machine_min_pages(const MnScenarioMachine *self);

/* Shares the memory out. FALSE: more is asked for than there is, and all of it is full. */
gboolean mn_scenario_machine_settle(MnScenarioMachine *self);

/* MemAvailable then. */
guint64 mn_scenario_machine_available(const MnScenarioMachine *self);

/* What a meter shows. */
guint64 mn_scenario_machine_get(const MnScenarioMachine *self, MnMeterId meter);

/* Lets it show `pages`, by asking for more or less of what it is made of, and shares the memory out. FALSE, and nothing is
 * changed: it cannot show that. */
gboolean mn_scenario_machine_set(MnScenarioMachine *self, MnMeterId meter, guint64 pages);

/* Whether a meter can be set at all: others follow from these, and from what the machine has. */
gboolean mn_scenario_machine_can_set(MnMeterId meter);

/* The next number of a sequence that is the same everywhere: SplitMix64 (Steele, Lea, Flood 2014). */
guint64 mn_scenario_random(guint64 *state);
