/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Charged first, then exchanged. */
#include "limits.h"

#include <errno.h>

static void drop(MnLimits *self, MnBoard *board) {
    if (!self->watch)
        return;
    mn_board_unwatch(board, self->watch);
    g_clear_pointer(&self->watch, mn_watch_free);
}

static guint count(const MnLimits *self) {
    return self->watch ? self->watch->n_edges : 0;
}

/* Watches it without its being known to the board as yet. */
static int replace(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set,
                   void (*crossed)(MnWatch *, const MnReading *), gpointer owner) {
    int r;

    if (mn_board_is_gone(board))
        return -ENODEV;
    r = mn_account_change(account, MN_RESOURCE_LIMITS, count(self), set->n);
    if (r < 0)
        return r;
    drop(self, board);
    self->was_set = TRUE;
    if (set->n > 0)
        self->watch = mn_watch_new(set, crossed, owner);
    return 0;
}

static void begin(MnLimits *self, MnBoard *board) {
    if (self->watch)
        mn_board_watch(board, self->watch);
}

int mn_limits_set(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set,
                  void (*crossed)(MnWatch *, const MnReading *), gpointer owner) {
    int r;

    r = replace(self, board, account, set, crossed, owner);
    if (r == 0)
        begin(self, board);
    return r;
}

int mn_limits_resume(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set, guint reached,
                     void (*crossed)(MnWatch *, const MnReading *), gpointer owner) {
    int r;

    r = replace(self, board, account, set, crossed, owner);
    if (r < 0)
        return r;
    for (guint i = 0; i < set->n; i++) {
        self->watch->known |= 1U << i;
        if (reached & MN_METER_BIT(set->limits[i].meter))
            self->watch->reached |= 1U << i;
    }
    begin(self, board);
    return 0;
}

guint mn_limits_get_reached(const MnLimits *self) {
    guint meters = 0;

    for (guint i = 0; i < count(self); i++)
        if (self->watch->reached & (1U << i))
            meters |= MN_METER_BIT(self->watch->edges[i].limit.meter);
    return meters;
}

void mn_limits_clear(MnLimits *self, MnBoard *board, MnAccount *account) {
    mn_account_refund(account, MN_RESOURCE_LIMITS, count(self));
    drop(self, board);
}
