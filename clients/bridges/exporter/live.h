/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mounts.h"

/* What the page shows, for all who look at it: while there is nobody nothing is looked at. */
typedef struct ExpLive ExpLive;

/* Looks so often, and shows so many processes; 0: none. It lives as long as the program. */
ExpLive *exp_live_new(const ExpMounts *mounts, guint interval_ms, guint n_processes);

/* Somebody who looks. Each is sent events of the kind of HTML's EventSource; who is slow is sent fewer, and none of those
 * that tell of a limit is lost to him while there are no more than a hundred. */
typedef struct ExpViewer ExpViewer;

/* ready() is called when there is something to take, after exp_viewer_take() has said that there is nothing. NULL: there are too
 * many. */
ExpViewer *exp_live_join(ExpLive *self, void (*ready)(gpointer data), gpointer data);
void exp_viewer_leave(ExpViewer *self);

/* Copies what comes next, at most `size` bytes. 0: nothing at present. */
gsize exp_viewer_take(ExpViewer *self, char *buffer, gsize size);
