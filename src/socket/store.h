/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/manager.h"
#include "socket/connection.h"

/* The connections that the service manager keeps for the server that comes after us, with what they wait for.
 *
 * It is asked to keep one as soon as it waits for something, or a second later where many do, so that those who come and
 * go are little work for it; of one user, who is neither root nor the owner, no more than MN_KEPT_PER_USER_MAX. */
typedef struct MnStore MnStore;

#define MN_KEPT_PER_USER_MAX 64

/* `n_slots` at most are kept. Until mn_store_adopt() nothing is known of what was kept before. */
MnStore *mn_store_new(const MnManager *manager, const MnQuota *quota, const MnClock *clock, guint n_slots);

/* All that is to be kept is, if that can be had. Accepts NULL. */
void mn_store_free(MnStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnStore, mn_store_free)

/* A descriptor that the manager has handed over is the store's own, by its name: takes it. FALSE: it is not. */
gboolean mn_store_adopt(MnStore *self, const char *name, int fd);

/* One that is called so was kept: lets its connection, which is new, go on. -ENOENT: it was not. */
int mn_store_resume(MnStore *self, const char *name, MnConnection *connection) G_GNUC_WARN_UNUSED_RESULT;

/* What the connection waits for has changed, or it has been told. */
void mn_store_note(MnStore *self, MnConnection *connection);

/* The client has gone, or is in the middle of a line. */
void mn_store_forget(MnStore *self, MnConnection *connection);
