/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "levels.h"

#include "options.h"

/* Waits for a set of limits as long as it lives, also while the server is away and comes back. */
typedef struct LevelWatch LevelWatch;

/* Returns the exit status: CMD_OK, or another, and has said why. has_news() is called in the main loop when there may be
 * something to take, also for what is reached already. */
int level_watch_new(const CmdOptions *options, const char *limits, void (*has_news)(gpointer data), gpointer data,
                    LevelWatch **ret);
void level_watch_free(LevelWatch *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LevelWatch, level_watch_free)

/* Takes the news that there are; all those that were told to anybody before. Asks the server. *ret_is_resized becomes TRUE
 * where that of which limits are per cent may be another than before, and is left alone else. -errno: it waits for nothing
 * any more. */
int level_watch_take(LevelWatch *self, gboolean *ret_is_resized) G_GNUC_WARN_UNUSED_RESULT;

/* Why it does not. */
const char *level_watch_explain(const LevelWatch *self, int r);

/* Waits for others; if that fails, still for those before. */
void level_watch_set_limits(LevelWatch *self, const char *limits);

const char *level_watch_get_limits(const LevelWatch *self);

/* Whether any of the limits is reached, as far as there is somebody who tells. */
gboolean level_watch_is_on(const LevelWatch *self);
