/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/override.h"
#include "probe/moment.h"

/* Meters and stalls that show a value somebody chose. Copied by assignment; all zero means none. */
typedef struct MnSimulate {
    guint fixed; /* MN_METER_BIT()s */
    MnReading values;
    MnStallShare stalls;
} MnSimulate;

/* Takes over what was asked for since the moment. */
void mn_simulate_set(MnSimulate *self, const MnOverride *override, gint64 now_us, const MnMoment *moment);

/* Puts the chosen values in the place of the measured ones, as they are at its time. */
void mn_simulate_apply(MnSimulate *self, MnMoment *moment);
