/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memory was like over the last minutes: a ring of readings. They are kept with their times, and not as columns, so
 * that a graph can be drawn of them however wide it is, and at whatever pace they came. */
#include "history.h"

#include <string.h>

void cmd_history_init(CmdHistory *self) {
    *self = (CmdHistory){ .ring = g_new(CmdPast, CMD_HISTORY_MAX) };
}

void cmd_history_clear(CmdHistory *self) {
    g_clear_pointer(&self->ring, g_free);
}

void cmd_history_add(CmdHistory *self, gint64 time_us, gint64 until_us, guint offered, const MnReading *reading) {
    CmdPast *past = &self->ring[self->next];

    *past = (CmdPast){ .time_us = time_us, .until_us = until_us, .offered = offered };
    memcpy(past->pages, reading->pages, sizeof past->pages);
    self->next = (self->next + 1) % CMD_HISTORY_MAX;
    self->n = MIN(self->n + 1, CMD_HISTORY_MAX);
}

static void stretch_add(CmdStretch *self, guint64 pages) {
    if (!self->is_known)
        *self = (CmdStretch){ TRUE, pages, pages };
    self->lowest = MIN(self->lowest, pages);
    self->highest = MAX(self->highest, pages);
}

/* Rounded, so that readings that come a little early or late have a stretch each. */
static gint64 place_of(gint64 time_us, gint64 now_us, gint64 stretch_us) {
    return MAX(now_us - time_us + stretch_us / 2, 0) / stretch_us;
}

void cmd_history_get(const CmdHistory *self, MnMeterId meter, gint64 now_us, gint64 stretch_us, guint n,
                     CmdStretch *ret) {
    gint64 newer = 0; /* the stretches before this one are filled */

    memset(ret, 0, n * sizeof *ret);
    for (guint i = 1; i <= self->n; i++) {
        const CmdPast *past = &self->ring[(self->next + CMD_HISTORY_MAX - i) % CMD_HISTORY_MAX];
        gint64 place = place_of(past->time_us, now_us, stretch_us);

        if (past->offered & MN_METER_BIT(meter)) {
            for (gint64 later = newer; later < MIN(place, n); later++)
                if (now_us - later * stretch_us <= past->until_us)
                    stretch_add(&ret[later], past->pages[meter]);
            if (place < n)
                stretch_add(&ret[place], past->pages[meter]);
        }
        if (place >= n)
            return;
        newer = MAX(newer, place + 1);
    }
}
