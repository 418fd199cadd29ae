/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/amount.h"
#include "core/meter.h"
#include "core/stallshare.h"

/* What a write to `simulate` asks for: some meters or stalls fixed, some measured again. */
typedef struct MnOverride {
    guint fixed;    /* MN_METER_BIT()s that get the value of values[id] */
    guint measured; /* MN_METER_BIT()s that are measured again */
    MnAmount values[MN_N_METERS];
    MnStallChoice stalls;
} MnOverride;

/* Parses "used 90% swap_free -", where "-" stands for the measured value, or "reset", which is "-"
 * for every name. Otherwise the grammar of mn_limit_set_parse() without operators, and 0 is a
 * value like others. Beside the meters there are the names of mn_stall_share_names[], whose values are per cent.
 * -EINVAL as there. */
int mn_override_parse(const char *text, gsize len, const MnMachine *machine, MnFault *fault, MnOverride *ret)
    G_GNUC_WARN_UNUSED_RESULT;
