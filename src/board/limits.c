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

int mn_limits_set(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set,
                  void (*crossed)(MnWatch *, const MnReading *), gpointer owner) {
    int r;

    if (mn_board_is_gone(board))
        return -ENODEV;
    r = mn_account_change(account, MN_RESOURCE_LIMITS, count(self), set->n);
    if (r < 0)
        return r;
    drop(self, board);
    self->was_set = TRUE;
    if (set->n > 0) {
        self->watch = mn_watch_new(set, crossed, owner);
        mn_board_watch(board, self->watch);
    }
    return 0;
}

void mn_limits_clear(MnLimits *self, MnBoard *board, MnAccount *account) {
    mn_account_refund(account, MN_RESOURCE_LIMITS, count(self));
    drop(self, board);
}
