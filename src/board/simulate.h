/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/plight.h"

/* Meters and stalls that show a value somebody chose, and a machine that looks as he likes. All zero means none. */
typedef struct MnSimulate {
    guint fixed; /* MN_METER_BIT()s */
    MnReading values;
    MnStallShare stalls;
    MnPlight plight;
} MnSimulate;

/* Takes over what was asked for since the moment. Whether the machine looks another, so that it should be looked at. */
gboolean mn_simulate_set(MnSimulate *self, const MnOverride *override, gint64 now_us, const MnMoment *moment);

/* Puts the chosen values in the place of the measured ones, as they are at its time. */
void mn_simulate_apply(MnSimulate *self, MnMoment *moment);
