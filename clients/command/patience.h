/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* For what may wait for a server that is stopped or hangs: between the two the program ends with CMD_FAILED, and says why,
 * if it takes seven seconds. `place` is as in CmdOptions, and stays the caller's. */
typedef struct CmdPatience CmdPatience;

CmdPatience *cmd_patience_new(const char *place);
void cmd_patience_free(CmdPatience *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmdPatience, cmd_patience_free)
