/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The file last_call of a mount, kept open. */
typedef struct LastCall LastCall;

/* `place` is that of the mount; NULL: the usual ones. It need not be there yet. */
LastCall *last_call_new(const char *place);
void last_call_free(LastCall *self); /* accepts NULL */

/* Opens it where that is not done. -errno: why there is none. */
int last_call_open(LastCall *self);

/* Tells the members of the group, also where the server was started anew; returns how many those are. -errno. */
int last_call_make(LastCall *self, const char *group);
