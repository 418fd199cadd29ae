/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGTERM, a grace, SIGKILL: one process at a time, five seconds apart, and each step only while
 * memory is low. */
#include "killing.h"

static gint64 after_ms(gint64 since_us, gint64 ms) {
    return since_us + ms * 1000;
}

/* The step if it is due and memory low; otherwise when to look again. */
static MnKillingStep take_when(const MnKilling *killing, gint64 due_us, MnKillingStep step, gint64 *ret_again_us) {
    if (killing->now_us < due_us) {
        *ret_again_us = due_us;
        return MN_KILLING_WAIT;
    }
    *ret_again_us = after_ms(killing->now_us, MN_KILLING_RECHECK_MS);
    return killing->is_low ? step : MN_KILLING_WAIT;
}

MnKillingStep mn_killing_next(const MnKilling *killing, gint64 *ret_again_us) {
    gint64 next_us = killing->last_us > 0 ? after_ms(killing->last_us, MN_KILLING_APART_MS) : 0;

    *ret_again_us = 0;
    if (killing->terminated_us > 0 && killing->killed_us == 0)
        return take_when(killing, after_ms(killing->terminated_us, killing->grace_ms), MN_KILLING_KILL, ret_again_us);
    if (!killing->has_next)
        return MN_KILLING_WAIT;

    /* Who does not die of SIGKILL (it waits for a device) is not waited for longer than others. */
    if (killing->killed_us > 0)
        next_us = MAX(next_us, after_ms(killing->killed_us, MN_KILLING_APART_MS));
    return take_when(killing, next_us, MN_KILLING_TERMINATE, ret_again_us);
}
