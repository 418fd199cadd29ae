/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "core/trigger.h"

/* Everybody who waits for stalls: how long tasks have waited for the memory that the meters show. It is looked at only
 * while there is somebody, and as often as the shortest window needs. */
typedef struct MnTriggers MnTriggers;

/* One trigger; part of whoever waits. */
typedef struct MnArmedTrigger MnArmedTrigger;
struct MnArmedTrigger {
    MnTrigger trigger;
    gpointer owner;
    void (*fired)(MnArmedTrigger *self); /* while moments are told: it may only put notices into the outbox */
    GList link;
};

MnTriggers *mn_triggers_new(MnBoard *board);
void mn_triggers_free(MnTriggers *self); /* accepts NULL; no trigger is left */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnTriggers, mn_triggers_free)

/* From this moment on until it is taken out what is stalled counts. */
void mn_triggers_add(MnTriggers *self, MnArmedTrigger *armed);
void mn_triggers_remove(MnTriggers *self, MnArmedTrigger *armed);

/* What was stalled up to the next moment does not count: it is another group's. */
void mn_triggers_begin_anew(MnTriggers *self);
