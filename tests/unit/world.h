/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sampler/sampler.h"

/* A sampler over a copy of a fixture that a test may change. Each mn_sampler_read() takes a sample:
 * there is no shortest time, so nothing has to wait. */
typedef struct World {
    char *directory;
    MnSampler *sampler;
} World;

World *world_new(const char *machine);
void world_free(World *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* As a write to `simulate`. */
void world_simulate(World *self, const char *text);

/* A watch for limits in their text form. */
MnWatch *world_watch_new(World *self, const char *limits, void (*notify)(MnWatch *, const MnReading *),
                         gpointer observer);
