/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* For what may wait for a server that is stopped or hangs. */
typedef struct CmdPatience CmdPatience;

/* Until it is freed the program ends with CMD_FAILED, and says why, if that takes seven seconds. `place` is as in CmdOptions,
 * and stays the caller's. */
CmdPatience *cmd_patience_new(const char *place);

/* The same for another time; the program ends with what run_out() returns, which is called in another thread. */
CmdPatience *cmd_patience_new_for(gint64 most_us, int (*run_out)(const char *place), const char *place);
void cmd_patience_free(CmdPatience *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdPatience, cmd_patience_free)
