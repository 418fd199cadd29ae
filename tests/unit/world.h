/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"

/* A board over a copy of a fixture that a test may change. Each mn_board_read() takes a sample:
 * there is no shortest time, so nothing has to wait. */
typedef struct World {
    MnClock clock; /* the machine's, but for what was skipped */
    gint64 skipped_us;
    char *directory;
    MnOutbox *outbox;
    MnBoard *board;
} World;

World *world_new(const char *machine);
World *world_new_with(const char *machine, MnMemcg *memcg); /* which is taken, as the group is */
World *world_new_of_group(const char *machine, MnGroup *group);
void world_free(World *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* As a write to `simulate`. */
void world_simulate(World *self, const char *text);

/* A watch for limits in their text form, none of which is reached as far as it knows; world_forget() makes it find out. */
MnWatch *world_watch_new(World *self, const char *limits, void (*crossed)(MnWatch *, const MnReading *),
                         gpointer owner);

/* From now on it is so much later. */
static inline void world_skip(World *self, gint64 us) {
    self->skipped_us += us;
}

static inline void world_forget(MnWatch *watch) {
    watch->known = 0;
}
