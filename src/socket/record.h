/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "socket/connection.h"

/* What a client waits for and has been told, as a text that another server can go on from: the requests that would
 * ask for it, and a line for each limit that he knows to be reached.
 *
 *   watch available<10% used>80%
 *   reached available
 *   some 200000 2000000 */

/* With its NUL. */
#define MN_RECORD_BYTES 512

/* FALSE when there is nothing to go on with, or it is more than a text can say. */
gboolean mn_record_print(const MnConnection *connection, char text[MN_RECORD_BYTES]);

/* Lets a new connection go on. What is crossed since then is told when the turn ends. -ENODATA: the text
 * is empty; another -errno when something of it is not to be had any more. */
int mn_record_resume(const char *text, MnConnection *connection) G_GNUC_WARN_UNUSED_RESULT;
