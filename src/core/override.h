/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/amount.h"
#include "core/eventcontrol.h"
#include "core/meter.h"
#include "core/stallshare.h"

/* What the machine can be made to look like until that is ended. */
typedef enum MnCondition {
    MN_CONDITION_SWAPPING, /* anonymous memory is reclaimed, and a zone is short enough for that */
    MN_CONDITION_LOW,      /* a zone is below its watermark low */
    MN_CONDITION_MIN,      /* or below min */
    MN_N_CONDITIONS
} MnCondition;

#define MN_CONDITION_BIT(condition) (1U << (condition))
#define MN_ALL_CONDITIONS (MN_CONDITION_BIT(MN_N_CONDITIONS) - 1)

extern const char *const mn_condition_names[MN_N_CONDITIONS];

/* What a write to `simulate` asks for: some meters or stalls fixed, some measured again. */
typedef struct MnOverride {
    guint fixed;    /* MN_METER_BIT()s that get the value of values[id] */
    guint measured; /* MN_METER_BIT()s that are measured again */
    MnAmount values[MN_N_METERS];
    guint together; /* MN_METER_BIT()s that are moved so that as much as `memory` is used; 0: none */
    MnAmount memory;
    MnStallChoice stalls;
    guint begun; /* MN_CONDITION_BIT()s */
    guint ended;
    gboolean has_oom; /* memory runs out, once */
    gboolean has_pressure;
    MnPressure pressure; /* that hard pages are reclaimed, once */
} MnOverride;

/* Parses "used 90% swap_free -", where "-" stands for the measured value, or "reset", which is "-"
 * for every name. Otherwise the grammar of mn_limit_set_parse() without operators, and 0 is a
 * value like others. Beside the meters there are "memory", which moves used, available and free together; the names of
 * mn_stall_share_names[], whose values are per cent; those of mn_condition_names[], behind which "-" ends it; "oom"; and
 * "pressure" with one of mn_pressure_names[]. -EINVAL as there. */
int mn_override_parse(const char *text, gsize len, const MnMachine *machine, MnFault *fault, MnOverride *ret)
    G_GNUC_WARN_UNUSED_RESULT;
