/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gets a signal is free to drop all that he can do without, and fills his caches again afterwards. So a level that rises
 * is told at once, one that lasts again and again, also for who has started since, and nothing is told twice in a moment. */
#include "levels.h"

void levels_init(Levels *self) {
    *self = (Levels){ .now = LEVEL_NONE, .sent = LEVEL_NONE };
}

void levels_set(Levels *self, Level level) {
    self->now = level;
}

gint64 levels_due_us(const Levels *self) {
    if (self->now == LEVEL_NONE)
        return G_MAXINT64;
    if (self->now > self->sent)
        return G_MININT64;
    return self->sent_us + LEVELS_PAUSE_US;
}

Level levels_take(Levels *self, gint64 now_us) {
    if (now_us < levels_due_us(self) || self->now == LEVEL_NONE)
        return LEVEL_NONE;
    self->sent = self->now;
    self->sent_us = now_us;
    return self->sent;
}
