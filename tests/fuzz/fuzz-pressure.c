/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/sample.h"
#include "target.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MnSample sample = { 0 };
    int r;

    r = mn_sample_parse_pressure((const char *)data, size, &sample);
    g_assert_true(r == 0 || r == -EBADMSG);
    g_assert_cmphex(sample.known, ==, r == 0 ? MN_COUNTER_BIT(MN_COUNTER_STALLED_US) : 0);
    if (r < 0)
        g_assert_cmpuint(sample.counters[MN_COUNTER_STALLED_US], ==, 0);
    return 0;
}
