/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "levels.h"

#include "options.h"

/* Waits for a set of limits as long as it lives, also while the server is away and comes back. */
typedef struct LevelWatch LevelWatch;

/* To whom it tells, in the main loop. */
typedef struct LevelListener {
    void (*changed)(gpointer data);                 /* it may be on where it was off before, or the other way round */
    void (*resized)(gpointer data);                 /* what per cent are of may be more or less than before */
    void (*failed)(const char *why, gpointer data); /* it waits for nothing any more */
    gpointer data;
} LevelListener;

/* Returns the exit status: CMD_OK, or another, and has said why. What is reached already is told in the main loop. */
int level_watch_new(const CmdOptions *options, const char *limits, const LevelListener *listener, LevelWatch **ret);
void level_watch_free(LevelWatch *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LevelWatch, level_watch_free)

/* Waits for others; if that fails, still for those before. */
void level_watch_set_limits(LevelWatch *self, const char *limits);

const char *level_watch_get_limits(const LevelWatch *self);

/* Whether any of the limits is reached, as far as there is somebody who tells. */
gboolean level_watch_is_on(const LevelWatch *self);
