/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oom/oomlist.h"
#include "board/board.h"

/* Ends the processes of a list, one after the other, while one of some limits is met. */
typedef struct MnOomKiller MnOomKiller;

/* Waits for `limits` as long as there is somebody on the list, with `grace_ms` from SIGTERM to
 * SIGKILL. Board and list stay the caller's and outlive it, and so does the messenger, which sends the
 * signals, unless it has ended before. */
MnOomKiller *mn_oom_killer_new(MnBoard *board, MnOomList *list, const MnLimitSet *limits, guint64 grace_ms,
                               MnHelper *messenger);
void mn_oom_killer_free(MnOomKiller *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnOomKiller, mn_oom_killer_free)
