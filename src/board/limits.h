/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "quota/quota.h"

/* The limits that a client waits for, charged to its user: part of the struct of whoever it is. All zero: none. */
typedef struct MnLimits {
    MnWatch *watch;   /* NULL without limits */
    gboolean was_set; /* be it to no limit */
} MnLimits;

/* Puts a set in the place of the present one; crossed() is called with a watch whose owner is `owner`. -EDQUOT: more
 * limits than the user may have; -ENODEV: the group whose memory is shown is removed. Nothing has changed then. */
int mn_limits_set(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set,
                  void (*crossed)(MnWatch *, const MnReading *), gpointer owner) G_GNUC_WARN_UNUSED_RESULT;

/* The same for one who waited before, when the limits of the meters in `reached` (MN_METER_BIT()s) were reached and the
 * others were not: what was crossed since is told. */
int mn_limits_resume(MnLimits *self, MnBoard *board, MnAccount *account, const MnLimitSet *set, guint reached,
                     void (*crossed)(MnWatch *, const MnReading *), gpointer owner) G_GNUC_WARN_UNUSED_RESULT;

/* The meters (MN_METER_BIT()s) whose limit is reached. */
guint mn_limits_get_reached(const MnLimits *self);

/* The client goes. */
void mn_limits_clear(MnLimits *self, MnBoard *board, MnAccount *account);
