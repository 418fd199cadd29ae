/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast memory fills up: the last step, and the fastest of the last minutes. */
#include "fill.h"

#include "core/number.h"

static guint64 pages_per_second(guint64 pages, gint64 step_us) {
    return pages <= G_MAXUINT64 / G_USEC_PER_SEC ? pages * G_USEC_PER_SEC / step_us : G_MAXUINT64;
}

/* Forgets what is too old. */
static void turn_over(MnFill *self, gint64 now_us) {
    gint64 age_us = now_us - self->since_us;

    if (age_us < MN_FILL_MEMORY_US)
        return;
    self->fastest_before = age_us < 2 * MN_FILL_MEMORY_US ? self->fastest : 0;
    self->fastest = 0;
    self->since_us = now_us;
}

void mn_fill_step(MnFill *self, guint64 pages, gint64 step_us, gint64 now_us) {
    self->latest = pages_per_second(pages, step_us);
    turn_over(self, now_us);
    self->fastest = MAX(self->fastest, self->latest);
}

guint64 mn_fill_expected(const MnFill *self) {
    guint64 fastest = MAX(self->fastest, self->fastest_before);

    return mn_add(fastest, fastest / 4);
}
