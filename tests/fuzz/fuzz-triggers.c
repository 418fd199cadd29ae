/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients write to `pressure`. */
#include "core/trigger.h"
#include "target.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MnTrigger trigger, untouched;
    int r;

    memset(&untouched, 0x5a, sizeof untouched);
    trigger = untouched;
    r = mn_trigger_parse((const char *)data, size, NULL, &trigger);
    if (r < 0) {
        g_assert_cmpint(r, ==, -EINVAL);
        g_assert_cmpmem(&trigger, sizeof trigger, &untouched, sizeof untouched);
        return 0;
    }
    g_assert_cmpuint(trigger.kind, <, MN_N_STALLS);
    g_assert_cmpuint(trigger.threshold_us, >, 0);
    g_assert_cmpuint(trigger.threshold_us, <=, trigger.window_us);
    g_assert_cmpuint(trigger.window_us, >=, MN_TRIGGER_WINDOW_US_MIN);
    g_assert_cmpuint(trigger.window_us, <=, MN_TRIGGER_WINDOW_US_MAX);
    g_assert_false(trigger.is_started);
    return 0;
}
