/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/limit.h"

/* Meters that show a value somebody chose. Copied by assignment; all zero means none. */
typedef struct MnSimulate {
    guint fixed; /* MN_METER_BIT()s */
    MnReading values;
} MnSimulate;

/* Takes over what was asked for. Per cent are of `total_pages`. */
void mn_simulate_set(MnSimulate *self, const MnOverride *override, guint64 total_pages);

/* Puts the chosen values in the place of the measured ones. */
void mn_simulate_apply(const MnSimulate *self, MnReading *reading);
