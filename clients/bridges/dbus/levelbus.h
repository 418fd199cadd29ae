/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "levels.h"

#define LEVEL_BUS_NAME "org.freedesktop.LowMemoryMonitor"

/* What the program ends with where somebody else has the name. */
#define LEVEL_BUS_TAKEN 3

/* org.freedesktop.LowMemoryMonitor on a bus, as who hears of it knows that. */
typedef struct LevelBus LevelBus;

/* On the session bus, else on the system bus. lost() is called once, in the main loop, when there is no bus any more. Returns
 * the exit status: CMD_OK, or another, and has said why. Waits for the bus. */
int level_bus_new(gboolean is_session, void (*lost)(gpointer data), gpointer data, LevelBus **ret);

/* What was sent has arrived at the bus then. */
void level_bus_free(LevelBus *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LevelBus, level_bus_free)

/* Does not wait. */
void level_bus_send(LevelBus *self, Level level);
