/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/command.h"
#include "socket/connection.h"

/* What a connection can be asked for. All of these send the "ok" that is due themselves, and send nothing if they return
 * -errno: then `fault` says more, if more is known, and what was before still holds. */
typedef int (*MnAnswer)(MnConnection *self, const MnCommand *command, MnFault *fault);

/* That of a verb; NULL for one that asks for nothing. */
MnAnswer mn_answer_find(MnVerb verb);

/* Whether it needs a descriptor on its way, and so a client who has read all he was sent. */
gboolean mn_answer_gives_descriptor(MnVerb verb);

/* As `watch` is, but without an answer, for one who was told before that the limits of the meters in `reached`
 * (MN_METER_BIT()s) are reached. */
int mn_answer_resume_watch(MnConnection *self, const MnCommand *command, guint reached) G_GNUC_WARN_UNUSED_RESULT;

/* Takes back what was asked for. */
void mn_answer_forget(MnConnection *self);
