/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Eventfds whose owners are to be woken when we end, by whatever means: SIGKILL leaves us no time to do it. */
typedef struct MnGuard MnGuard;

/* Nothing is started before there is something to guard. */
MnGuard *mn_guard_new(void);

/* The end that is in order: none of the eventfds is signalled. Accepts NULL. */
void mn_guard_free(MnGuard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnGuard, mn_guard_free)

/* From now on, and until it is removed by the number that is returned, 1 is added to the eventfd if we end. It stays the
 * caller's, and open. Never waits: what cannot be done now (there is no process, or it does not listen) is done as soon as
 * possible. */
guint64 mn_guard_add(MnGuard *self, int eventfd);
void mn_guard_remove(MnGuard *self, guint64 number);
