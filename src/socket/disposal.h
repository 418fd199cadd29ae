/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"
#include "loop/alarm.h"
#include "socket/connection.h"

/* Descriptors that clients have sent us unasked. Who lets go of the last copy of one is the one who waits for what its end
 * takes, and that is the sender's choice: a connection with SO_LINGER to somebody who does not read, a file of a FUSE
 * server of his own that has to be unlocked. So the helper does it.
 *
 * From Linux 6.16 on nobody can send us any: mn_wire_refuse_descriptors(). */
typedef struct MnDisposal MnDisposal;

/* done() is called for each connection when nothing of what its client has sent is left, and it can be closed. The helper
 * and the clock stay the caller's. */
MnDisposal *mn_disposal_new(MnHelper *helper, const MnClock *clock, void (*done)(MnConnection *connection));
void mn_disposal_free(MnDisposal *self); /* when nothing waits; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnDisposal, mn_disposal_free)

/* Of a connection that nothing is to be read from any more, and nothing can be sent to: see mn_wire_cut_off(). */
void mn_disposal_add(MnDisposal *self, MnConnection *connection);

/* We end, and it with us. */
void mn_disposal_remove(MnDisposal *self, MnConnection *connection);
