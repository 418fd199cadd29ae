/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine made of a fixture, for tests of what lies above the sources. */
#include "world.h"

#include "fixture.h"

#include <string.h>

World *world_new(const char *machine) {
    World *self = g_new0(World, 1);
    MnParameters parameters;
    const char *name;

    mn_parameters_init(&parameters);
    parameters.update_period_ms = 0;
    self->directory = fixture_copy(machine);
    g_assert_cmpint(mn_sampler_new(self->directory, &parameters, &self->sampler, &name), ==, 0);
    return self;
}

void world_free(World *self) {
    mn_sampler_free(self->sampler);
    fixture_remove(self->directory);
    g_free(self);
}

void world_simulate(World *self, const char *text) {
    const MnMachine *machine = mn_sampler_get_machine(self->sampler);
    MnOverride override;

    g_assert_cmpint(mn_override_parse(text, strlen(text), machine, &override), ==, 0);
    mn_sampler_override(self->sampler, &override);
}

MnWatch *world_watch_new(World *self, const char *limits, void (*notify)(MnWatch *, const MnReading *),
                         gpointer observer) {
    const MnMachine *machine = mn_sampler_get_machine(self->sampler);
    MnLimitSet set;

    g_assert_cmpint(mn_limit_set_parse(limits, strlen(limits), machine, &set), ==, 0);
    return mn_watch_new(&set, notify, observer);
}
