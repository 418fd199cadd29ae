/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Moves the calling process, a child, to a session of its own. The scheduler shares the CPUs among
 * sessions (autogroup), so who waits and who fills memory must not be of one, as different programs
 * never are. The new session has the priority of the old. */
void session_new(void);
