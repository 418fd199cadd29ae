/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "fs/open.h"

/* The limits that an open file waits for, charged to who has opened it: part of the struct of a kind of file. All zero:
 * none. */
typedef struct MnOpenLimits {
    MnWatch *watch;   /* NULL without limits */
    gboolean was_set; /* there was a write, be it of no limit */
} MnOpenLimits;

/* Puts a set in the place of the present one; crossed() is called with a watch whose owner is the open file. -EDQUOT:
 * more limits than the user may have; nothing has changed then. */
int mn_open_limits_set(MnOpenLimits *self, MnOpen *open, MnBoard *board, const MnLimitSet *set,
                       void (*crossed)(MnWatch *, const MnReading *)) G_GNUC_WARN_UNUSED_RESULT;

/* The open file is released. */
void mn_open_limits_clear(MnOpenLimits *self, MnOpen *open, MnBoard *board);
