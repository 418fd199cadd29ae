/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Charged first, then exchanged. */
#include "limits.h"

static void drop(MnOpenLimits *self, MnBoard *board) {
    if (!self->watch)
        return;
    mn_board_unwatch(board, self->watch);
    g_clear_pointer(&self->watch, mn_watch_free);
}

static guint count(const MnOpenLimits *self) {
    return self->watch ? self->watch->n_edges : 0;
}

int mn_open_limits_set(MnOpenLimits *self, MnOpen *open, MnBoard *board, const MnLimitSet *set,
                       void (*crossed)(MnWatch *, const MnReading *)) {
    int r;

    r = mn_account_change(open->account, MN_RESOURCE_LIMITS, count(self), set->n);
    if (r < 0)
        return r;
    drop(self, board);
    self->was_set = TRUE;
    if (set->n > 0) {
        self->watch = mn_watch_new(set, crossed, open);
        mn_board_watch(board, self->watch);
    }
    return 0;
}

void mn_open_limits_clear(MnOpenLimits *self, MnOpen *open, MnBoard *board) {
    mn_account_refund(open->account, MN_RESOURCE_LIMITS, count(self));
    drop(self, board);
}
