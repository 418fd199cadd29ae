/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/adjustment.h"
#include "target.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GArray) adjustments = NULL;
    MnAdjuster adjuster;

    if (mn_adjustments_parse((const char *)data, size, &adjuster, &adjustments) < 0) {
        g_assert_null(adjustments);
        return 0;
    }
    for (guint i = 0; i < adjustments->len; i++) {
        const MnAdjustment *adjustment = &g_array_index(adjustments, MnAdjustment, i);

        g_assert_cmpint(adjustment->pid, >=, 0);
        g_assert_cmpint(ABS(adjustment->old_score), <=, MN_SCORE_MAX);
        g_assert_cmpint(ABS(adjustment->set_score), <=, MN_SCORE_MAX);
    }
    return 0;
}
