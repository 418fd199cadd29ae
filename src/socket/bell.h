/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/limits.h"
#include "kernel/signaller.h"

/* An eventfd of ours that a client has a copy of, and limits that it is counted up for. */
typedef struct MnBell MnBell;

/* Charged to the account: a descriptor and the limits. -EDQUOT, -ENFILE, -ENODEV, or an error of eventfd(2). The signaller
 * and the account outlive it. */
int mn_bell_new(MnBoard *board, MnAccount *account, MnSignaller *signaller, const MnLimitSet *set, MnBell **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_bell_free(MnBell *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnBell, mn_bell_free)

int mn_bell_get_fd(const MnBell *self);
