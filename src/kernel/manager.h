/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The service manager that has started us, if one has: what it hands over, and what it is told. As sd_listen_fds(3) and
 * sd_notify(3) have it. */
typedef struct MnManager MnManager;

/* Takes what concerns us out of the environment, so that no process of ours takes it for its own. To be called in the process
 * that was started. */
MnManager *mn_manager_new(void);
void mn_manager_free(MnManager *self); /* closes what was not taken; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnManager, mn_manager_free)

/* How many descriptors it hands over: those that follow the standard ones. */
guint mn_manager_get_n_fds(const MnManager *self);

/* What it calls one of them; "" for nothing. */
const char *mn_manager_get_name(const MnManager *self, guint i);

/* It is the caller's then, and is closed on exec. -1: there is none. */
int mn_manager_take_fd(MnManager *self, guint i);

/* How many descriptors of ours it keeps for the next to serve; 0: none. */
guint mn_manager_get_n_kept(const MnManager *self);

/* Tells it "READY=1" and the like. Never waits. */
void mn_manager_tell(const MnManager *self, const char *text);

/* Has it keep a copy of a descriptor under a name, and keep it no longer. FALSE when it has not heard. */
gboolean mn_manager_keep(const MnManager *self, const char *name, int fd);
gboolean mn_manager_forget(const MnManager *self, const char *name);
