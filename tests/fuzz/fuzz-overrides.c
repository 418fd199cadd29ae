/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a write to `simulate` asks for. */
#include "limit-text.h"
#include "target.h"

#include <errno.h>
#include <string.h>

/* One meter is not offered. */
static const MnMachine machine = {
    .page_bytes = 4096,
    .offered = ((1U << MN_N_METERS) - 1) & ~MN_METER_BIT(MN_METER_DIRTY),
};

static void check_round_trip(const MnOverride *override) {
    g_autofree char *text = override_print(override);
    MnOverride again;

    g_assert_cmpint(mn_override_parse(text, strlen(text), &machine, NULL, &again), ==, 0);
    g_assert_cmphex(again.fixed, ==, override->fixed);
    g_assert_cmphex(again.measured, ==, override->measured);
    g_assert_cmphex(again.together, ==, override->together);
    g_assert_cmpmem(&again.memory, sizeof(MnAmount), &override->memory, sizeof(MnAmount));
    g_assert_cmphex(again.begun, ==, override->begun);
    g_assert_cmphex(again.ended, ==, override->ended);
    g_assert_cmpint(again.has_oom, ==, override->has_oom);
    g_assert_cmpint(again.has_pressure, ==, override->has_pressure);
    g_assert_cmpint(again.pressure, ==, override->pressure);
    g_assert_cmpmem(&again.stalls, sizeof again.stalls, &override->stalls, sizeof override->stalls);
    for (guint id = 0; id < MN_N_METERS; id++)
        if (override->fixed & MN_METER_BIT(id))
            g_assert_cmpmem(&again.values[id], sizeof(MnAmount), &override->values[id], sizeof(MnAmount));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MnOverride override, untouched;
    int r;

    memset(&untouched, 0x5a, sizeof untouched);
    override = untouched;
    r = mn_override_parse((const char *)data, size, &machine, NULL, &override);
    if (r < 0) {
        g_assert_cmpint(r, ==, -EINVAL);
        g_assert_cmpmem(&override, sizeof override, &untouched, sizeof untouched);
        return 0;
    }

    g_assert_cmphex(override.fixed & override.measured, ==, 0);
    g_assert_cmphex((override.fixed | override.measured) & ~machine.offered, ==, 0);
    for (guint id = 0; id < MN_N_METERS; id++)
        g_assert_cmpuint(override.values[id].micropercent, <=, 100 * MN_MICROPERCENT);
    for (guint kind = 0; kind < MN_N_STALLS; kind++)
        g_assert_cmpuint(override.stalls.percent[kind], <=, 100);
    g_assert_cmphex(override.stalls.chosen & override.stalls.measured, ==, 0);
    check_round_trip(&override);
    return 0;
}
