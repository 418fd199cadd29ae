/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/ranking.h"
#include "kernel/view.h"

/* In the helper: all processes of a view that could be ended, but ourselves, ranked: a new array of MnCandidate. Who
 * has ended meanwhile, or may not be looked at, is left out; on any other error nothing is shown. */
int mn_ranker_rank(const MnView *view, GArray **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for the ranking on behalf of user `uid`. The answer is its text. The view stays the caller's. */
int mn_ranker_ask(MnHelper *helper, uid_t uid, const MnView *view, MnAnswered answered, gpointer data,
                  MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;
