/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source that is somebody's imagination: chosen values in the place of measured ones. */
#include "simulate.h"

void mn_simulate_set(MnSimulate *self, const MnOverride *override, guint64 total_pages) {
    self->fixed &= ~override->measured;
    self->fixed |= override->fixed;

    for (guint id = 0; id < MN_N_METERS; id++)
        if (override->fixed & MN_METER_BIT(id))
            self->values.pages[id] = mn_limit_pages(&override->values[id], total_pages);
}

void mn_simulate_apply(const MnSimulate *self, MnReading *reading) {
    for (guint id = 0; self->fixed >> id; id++)
        if (self->fixed & MN_METER_BIT(id))
            reading->pages[id] = self->values.pages[id];
}
