/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "processes.h"

/* The processes that grow most, looked at in a thread, as there may be thousands. */
typedef struct ExpCrowd ExpCrowd;

/* Of the first `most`. found() is called by the main loop when a look is over. Lives as long as the program. */
ExpCrowd *exp_crowd_new(guint most, void (*found)(gpointer data), gpointer data);

/* Begins a look, where none is under way. With `anew` growth is counted from then on. */
void exp_crowd_look(ExpCrowd *self, gboolean anew);

/* Nobody wants to know for now: it lets go of /proc. */
void exp_crowd_rest(ExpCrowd *self);

gboolean exp_crowd_is_looking(const ExpCrowd *self);

/* What the last look has found: an array of CmdGrown that stays the crowd's; NULL: nothing yet. */
const GArray *exp_crowd_get(const ExpCrowd *self);
