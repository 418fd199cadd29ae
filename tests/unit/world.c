/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine made of a fixture, for tests of what lies above the sources. */
#include "hand-clock.h"
#include "world.h"

#include "fixture.h"

#include <string.h>

static gint64 world_now_us(const MnClock *clock) {
    return mn_clock_now_us(&mn_machine_clock) + ((const World *)clock)->skipped_us;
}

static gint64 world_wait_us(const MnClock *clock, gint64 time_us) {
    return time_us - world_now_us(clock);
}

static World *make_world(const char *machine, MnMemcg *memcg, MnGroup *group) {
    World *self = g_new0(World, 1);
    MnParameters parameters;
    MnProbe *probe;
    const char *name;

    mn_parameters_init(&parameters);
    parameters.update_period_ms = 0;
    self->directory = fixture_copy(machine);
    self->clock = (MnClock){ world_now_us, world_wait_us };
    self->outbox = mn_outbox_new(&still_clock.clock);
    g_assert_cmpint(mn_probe_new(self->directory, &probe, &name), ==, 0);
    if (group)
        g_assert_cmpint(mn_probe_set_group(probe, group, &name), ==, 0);
    if (memcg)
        mn_probe_set_memcg(probe, memcg);
    g_assert_cmpint(mn_board_new(probe, &self->clock, self->outbox, &parameters, &self->board), ==, 0);
    return self;
}

World *world_new(const char *machine) {
    return world_new_with(machine, NULL);
}

World *world_new_with(const char *machine, MnMemcg *memcg) {
    return make_world(machine, memcg, NULL);
}

World *world_new_of_group(const char *machine, MnGroup *group) {
    return make_world(machine, NULL, group);
}

void world_free(World *self) {
    mn_board_free(self->board);
    mn_outbox_free(self->outbox);
    fixture_remove(self->directory);
    g_free(self);
}

void world_simulate(World *self, const char *text) {
    const MnMachine *machine = mn_board_get_machine(self->board);
    MnOverride override;

    g_assert_cmpint(mn_override_parse(text, strlen(text), machine, NULL, &override), ==, 0);
    mn_board_override(self->board, &override);
}

MnWatch *world_watch_new(World *self, const char *limits, void (*crossed)(MnWatch *, const MnReading *),
                         gpointer owner) {
    const MnMachine *machine = mn_board_get_machine(self->board);
    MnLimitSet set;
    MnWatch *watch;

    g_assert_cmpint(mn_limit_set_parse(limits, strlen(limits), machine, NULL, &set), ==, 0);
    watch = mn_watch_new(&set, crossed, owner);
    watch->known = G_MAXUINT32;
    return watch;
}
