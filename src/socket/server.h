/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "board/lastcall.h"
#include "devices/triggers.h"
#include "kernel/helper.h"
#include "kernel/manager.h"
#include "quota/quota.h"

/* The socket, beside the filesystem: whoever connects is a client of the board. */
typedef struct MnServer MnServer;

/* What is given stays the caller's and outlives it; `triggers` may be NULL. -errno when there is no descriptor. */
int mn_server_new(MnBoard *board, MnTriggers *triggers, MnLastCall *last_call, MnQuota *quota, MnHelper *helper,
                  const MnManager *manager, MnServer **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Ends all connections but those that the manager keeps, and removes the sockets that were made; accepts NULL. */
void mn_server_free(MnServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnServer, mn_server_free)

/* Takes the sockets that the manager hands over, and goes on with the connections. */
void mn_server_take_over(MnServer *self, MnManager *manager);

/* Serves whoever connects at `path`, where a socket is made, unless one that was handed over is there: see
 * mn_listener_bind(). */
int mn_server_listen(MnServer *self, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* Appends a line for each socket that is served, with its path. */
void mn_server_print_places(const MnServer *self, GString *text);

/* How many clients there are, and how often an eventfd of theirs was signalled. Both accept NULL: no socket is served. */
guint mn_server_get_n_connections(const MnServer *self);
guint64 mn_server_get_n_signals(const MnServer *self);
