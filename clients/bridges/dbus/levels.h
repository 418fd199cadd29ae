/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What org.freedesktop.LowMemoryMonitor has in its signal; other numbers are reserved there. */
typedef enum Level {
    LEVEL_NONE = 0, /* nothing is short: never sent */
    LEVEL_LOW = 50,
    LEVEL_MEDIUM = 100,
    LEVEL_CRITICAL = 255
} Level;

/* From a signal to the next of the same level or a lower one: as low-memory-monitor and GLib have it. */
#define LEVELS_PAUSE_US (15 * G_TIME_SPAN_SECOND)

/* What is to be told when. Times are those of one clock, and never go back. */
typedef struct Levels {
    Level now;
    Level sent; /* last; LEVEL_NONE: nothing yet */
    gint64 sent_us;
} Levels;

void levels_init(Levels *self);

/* Which level there is from now on. */
void levels_set(Levels *self, Level level);

/* When there is something to send; may have passed. G_MAXINT64: not as long as the level stays the same. */
gint64 levels_due_us(const Levels *self);

/* What is to be sent at this moment, and counts as sent with that; LEVEL_NONE: nothing. */
Level levels_take(Levels *self, gint64 now_us);
