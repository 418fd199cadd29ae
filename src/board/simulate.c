/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source that is somebody's imagination: chosen values in the place of measured ones. */
#include "simulate.h"

#include "core/number.h"

/* Those who are moved together, by as much as more is used than is measured. */
static void set_together(MnSimulate *self, guint meters, guint64 used, const MnReading *measured, guint64 total_pages) {
    guint64 before = measured->pages[MN_METER_USED];
    guint64 more = mn_subtract(used, before), less = mn_subtract(before, used);

    for (guint id = 0; meters >> id; id++)
        if (meters & MN_METER_BIT(id))
            self->values.pages[id] = MIN(mn_add(mn_subtract(measured->pages[id], more), less), total_pages);
    self->values.pages[MN_METER_USED] = used;
    self->fixed |= meters;
}

gboolean mn_simulate_set(MnSimulate *self, const MnOverride *override, gint64 now_us, const MnMoment *moment) {
    guint64 total_pages = moment->reading.pages[MN_METER_TOTAL];

    mn_stall_share_set(&self->stalls, &override->stalls, now_us, &moment->measured_stalls);
    self->fixed &= ~override->measured;
    self->fixed |= override->fixed;

    for (guint id = 0; id < MN_N_METERS; id++)
        if (override->fixed & MN_METER_BIT(id))
            self->values.pages[id] = mn_amount_pages(&override->values[id], total_pages);
    if (override->together)
        set_together(self, override->together, mn_amount_pages(&override->memory, total_pages), &moment->measured,
                     total_pages);
    return mn_plight_set(&self->plight, override);
}

/* The usage that a memory cgroup would show follows the meters it is made of. Where only `used` is
 * simulated the difference counts as anonymous memory. */
static void apply_to_usage(const MnSimulate *self, const MnReading *measured, MnReading *reading) {
    guint64 anon = reading->pages[MN_METER_ANON];
    guint64 more = reading->pages[MN_METER_USED], less = measured->pages[MN_METER_USED];

    if (self->fixed == 0)
        return;
    if (!(self->fixed & MN_METER_BIT(MN_METER_ANON)))
        anon = mn_add(mn_subtract(anon, mn_subtract(less, more)), mn_subtract(more, less));

    reading->pages[MN_METER_SYSTEM_USAGE] = mn_add(anon, reading->pages[MN_METER_FILE]);
    reading->pages[MN_METER_SYSTEM_MEMSW] =
        mn_add(reading->pages[MN_METER_SYSTEM_USAGE], reading->pages[MN_METER_SWAP_USED]);
}

void mn_simulate_apply(MnSimulate *self, MnMoment *moment) {
    MnReading *reading = &moment->reading;

    *reading = moment->measured;
    for (guint id = 0; self->fixed >> id; id++)
        if (self->fixed & MN_METER_BIT(id))
            reading->pages[id] = self->values.pages[id];
    apply_to_usage(self, &moment->measured, reading);

    moment->stalls = moment->measured_stalls;
    mn_stall_share_apply(&self->stalls, moment->time_us, &moment->stalls);
}
