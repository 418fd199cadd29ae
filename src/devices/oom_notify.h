/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "core/shortage.h"

/* The shortage of oom_notify, of 2007, or of oom_notify_critical: followed from moment to moment while somebody has
 * the device open. */
typedef struct MnOomNotify MnOomNotify;

MnOomNotify *mn_oom_notify_new(MnBoard *board, MnShortageKind kind);
void mn_oom_notify_free(MnOomNotify *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnOomNotify, mn_oom_notify_free)

/* notify() is called when memory becomes short and every second while it is, while moments are told: it may only put
 * notices into the outbox. */
void mn_oom_notify_set_notify(MnOomNotify *self, void (*notify)(gpointer data), gpointer data);

/* Somebody has it open, or the last one has closed it. */
void mn_oom_notify_start(MnOomNotify *self);
void mn_oom_notify_stop(MnOomNotify *self);

/* Looks at the zones at this very moment: whether memory is short. */
gboolean mn_oom_notify_look(MnOomNotify *self);

/* Why it is, or "ok\n": see mn_shortage_describe(). */
void mn_oom_notify_describe(const MnOomNotify *self, char line[MN_SHORTAGE_LINE_BYTES]);
