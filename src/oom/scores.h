/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oom/victim.h"
#include "kernel/statefile.h"

/* The oom_score_adj of listed processes, by which the kernel's OOM killer takes them first, and the record of what it
 * was before. */
typedef struct MnScores {
    MnStateFile *state;
    gboolean state_failed; /* and that has been said */
    gboolean has_state;
} MnScores;

/* `state` stays the caller's. */
void mn_scores_init(MnScores *self, MnStateFile *state);

/* Removes the record of what has been put back by now. */
void mn_scores_clear(MnScores *self);

/* Gives each of `victims` (of MnVictim, all that are listed) the score of its place, and each of `leaving`, which may
 * be NULL, the one that it had. A process whose place has not changed since is not looked at. */
void mn_scores_follow(MnScores *self, const GPtrArray *victims, const GPtrArray *leaving);

/* Puts back what a daemon that was killed has left behind, and waits for the helper to do so. A process that has
 * ended, or whose score is not any more the one that was set, is left alone. */
void mn_scores_recover(MnStateFile *state, MnHelper *helper);
