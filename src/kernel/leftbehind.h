/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helperprocess.h"
#include "loop/clock.h"

/* Processes that were given up, and who is to blame for them. */
typedef struct MnLeftBehind {
    const MnClock *clock;
    GQueue entries;
} MnLeftBehind;

void mn_left_behind_init(MnLeftBehind *self, const MnClock *clock);
void mn_left_behind_clear(MnLeftBehind *self);

/* Takes the process over and gives it up. `task`, which took too long for user `uid`, may be NULL: nobody is to blame. */
void mn_left_behind_add(MnLeftBehind *self, MnHelperProcess *process, const MnTask *task, uid_t uid);

/* How many have not ended. */
guint mn_left_behind_count(const MnLeftBehind *self);

/* Whether there is one that `uid` is to blame for by the same task, and that has not ended or has not been forgiven. */
gboolean mn_left_behind_blames(MnLeftBehind *self, const MnTask *task, uid_t uid);
