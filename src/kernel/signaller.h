/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/outbox.h"

/* Adds to the counters of other people's eventfds. */
typedef struct MnSignaller MnSignaller;

/* The outbox stays the caller's and outlives it. Without one, where there is no main loop, it may be NULL: the caller
 * flushes. */
int mn_signaller_new(MnOutbox *outbox, MnSignaller **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_signaller_free(MnSignaller *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnSignaller, mn_signaller_free)

/* What the kernel needs to give, before the first signal. -EAGAIN when fs.aio-max-nr is used up,
 * -ENOSYS on a kernel without AIO. Has no effect a second time. */
int mn_signaller_prepare(MnSignaller *self) G_GNUC_WARN_UNUSED_RESULT;

/* Adds 1 to an eventfd, when the turn of the main loop ends or, of many, soon after that, and never waits,
 * however its owner has filled it: a full counter stays full. The descriptor has to stay
 * open until then. Allocates nothing. */
void mn_signaller_add(MnSignaller *self, int eventfd);

/* How often mn_signaller_add() was called. */
guint64 mn_signaller_get_n_signals(const MnSignaller *self);

/* Does at once what was put off. */
void mn_signaller_flush(MnSignaller *self);
