/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "options.h"

#include <memnotifyfs/client.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(memnotifyfs, memnotifyfs_close)

/* Connects to the server and waits for limits there. Returns the exit status: CMD_OK, or another, and has said why. */
int cmd_client_open(const CmdOptions *options, const char *limits, memnotifyfs **ret);

/* Whether the server has ended, or does not answer any more. Asks it. */
gboolean cmd_client_is_away(memnotifyfs *client);

/* Says so; CMD_FAILED. */
int cmd_client_fail_away(void);

/* Why there is no server, for people; to be freed. `place` is NULL for the usual ones, `r` the error of who has looked. */
char *cmd_client_explain(const char *place, int r);

/* Says so; CMD_FAILED. */
int cmd_client_fail_open(const char *place, int r);
