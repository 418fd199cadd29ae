/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "event.h"
#include "reader.h"

/* Looks at memory for somebody who must not wait: in a thread of its own, as a server may take as long as it likes to
 * answer. It goes on when the server ends and comes back. */
typedef struct CmdFollower CmdFollower;

/* What it has found when it was asked. */
typedef struct CmdFound {
    gboolean has_figures; /* not while a server that was named is away */
    CmdFigures figures;
    CmdWay way;
    char *place; /* as cmd_reader_get_place() */
    char *lack;  /* what is wrong with the server; NULL: nothing is */
} CmdFound;

void cmd_found_clear(CmdFound *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CmdFound, cmd_found_clear)

/* Like cmd_reader_new(): says what is wrong, and returns the exit status. */
int cmd_follower_new(const char *place, CmdFollower **ret);

/* The same where there need not be a server yet: it is looked for when it is asked. */
CmdFollower *cmd_follower_new_away(const char *place);

/* Starts its thread, which has the signals blocked that the caller has. */
void cmd_follower_start(CmdFollower *self);

/* It is left behind, and ends with the program: nobody can wait for a thread that may be waiting for ever. */

/* To be polled for POLLIN, which says that there is something to take. */
int cmd_follower_get_fd(const CmdFollower *self);

/* Asks for a look at memory. FALSE: the last has not been answered yet. */
gboolean cmd_follower_ask(CmdFollower *self);

/* Nobody wants to know for now: it lets go of the server, and of its events, until it is asked again. */
void cmd_follower_rest(CmdFollower *self);

/* What was found; FALSE: there is nothing new. It is to be cleared. */
gboolean cmd_follower_take(CmdFollower *self, CmdFound *ret);

/* The next event: a crossing of a named threshold, or that the server came back; FALSE: there is none. */
gboolean cmd_follower_take_event(CmdFollower *self, CmdEvent *ret);
