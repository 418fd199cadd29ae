/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those who wait for stalls of a group: when they are told, and how often anybody looks. */
#include "plain-group.h"
#include "runner.h"
#include "world.h"
#include "devices/triggers.h"

#include <string.h>

#define S G_TIME_SPAN_SECOND

static char *directory;
static World *world;
static MnTriggers *triggers;

static void put_stalls(guint64 some_us, guint64 full_us) {
    g_autofree char *text = g_strdup_printf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%" G_GUINT64_FORMAT "\n"
                                            "full avg10=0.00 avg60=0.00 avg300=0.00 total=%" G_GUINT64_FORMAT "\n",
                                            some_us, full_us);

    plain_group_put(directory, "memory.pressure", text);
}

static void ignore_log(const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
                       const char *message G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED) {
}

static void set_up(void) {
    MnGroup *group;

    directory = plain_group_new(MN_CGROUP_V2);
    put_stalls(100 * S, 50 * S);
    g_assert_cmpint(mn_group_new(directory, &group), ==, 0);
    world = world_new_of_group("debian-6.1", group);
    triggers = mn_triggers_new(world->board);
    g_log_set_default_handler(ignore_log, NULL);
}

static void tear_down(void) {
    g_log_set_default_handler(g_log_default_handler, NULL);
    mn_triggers_free(triggers);
    world_free(world);
    plain_group_free(directory);
}

typedef struct Waiter {
    MnArmedTrigger armed;
    guint n_events;
} Waiter;

static void on_fired(MnArmedTrigger *armed) {
    ((Waiter *)armed->owner)->n_events++;
}

static void arm(Waiter *self, const char *text) {
    *self = (Waiter){ .armed = { .owner = self, .fired = on_fired } };
    g_assert_cmpint(mn_trigger_parse(text, strlen(text), NULL, &self->armed.trigger), ==, 0);
    mn_triggers_add(triggers, &self->armed);
}

/* It is `later_us` later, and somebody looks. */
static void look(gint64 later_us) {
    world_skip(world, later_us);
    mn_board_refresh(world->board);
}

static guint64 looked_at(void) {
    return mn_board_get_moment(world->board)->stalls.lines[MN_STALL_SOME].total_us;
}

static void test_each_is_told_what_it_waits_for(void) {
    Waiter some, full;

    CU_ASSERT_TRUE(mn_board_get_machine(world->board)->offers_stalls);
    arm(&some, "some 150000 1000000");
    arm(&full, "full 150000 1000000");
    look(2 * S);
    CU_ASSERT_EQUAL(some.n_events + full.n_events, 0);
    put_stalls(100 * S + 150000, 50 * S + 1);
    look(100000);
    CU_ASSERT_EQUAL(some.n_events, 1);
    CU_ASSERT_EQUAL(full.n_events, 0);
    put_stalls(100 * S + 150000, 50 * S + 150000);
    look(100000);
    CU_ASSERT_EQUAL(some.n_events, 1);
    CU_ASSERT_EQUAL(full.n_events, 1);
    mn_triggers_remove(triggers, &some.armed);
    put_stalls(110 * S, 55 * S);
    look(2 * S);
    CU_ASSERT_EQUAL(some.n_events, 1);
    CU_ASSERT_EQUAL(full.n_events, 2);
    mn_triggers_remove(triggers, &full.armed);
}

/* The second comes when the first was looked at a while ago. */
static void test_what_was_stalled_before_it_came_does_not_count(void) {
    Waiter first, second;

    arm(&first, "some 1000000 10000000");
    put_stalls(100 * S + 500000, 50 * S);
    world_skip(world, S / 2);
    arm(&second, "some 100000 10000000");
    look(S);
    CU_ASSERT_EQUAL(second.n_events, 0);
    put_stalls(100 * S + 500001, 50 * S);
    look(S);
    CU_ASSERT_EQUAL(second.n_events, 0);
    put_stalls(101 * S, 50 * S);
    look(S);
    CU_ASSERT_EQUAL(first.n_events, 1);
    CU_ASSERT_EQUAL(second.n_events, 1);
    mn_triggers_remove(triggers, &first.armed);
    mn_triggers_remove(triggers, &second.armed);
}

static void test_the_shortest_window_says_how_often(void) {
    Waiter slow, fast;

    arm(&slow, "some 1000000 10000000");
    put_stalls(101 * S, 50 * S);
    look(S / 2);
    CU_ASSERT_EQUAL(looked_at(), 100 * S);
    arm(&fast, "some 1000000 1000000");
    put_stalls(102 * S, 50 * S);
    look(S / 10);
    CU_ASSERT_EQUAL(looked_at(), 102 * S);
    mn_triggers_remove(triggers, &fast.armed);
    put_stalls(103 * S, 50 * S);
    look(S / 2);
    CU_ASSERT_EQUAL(looked_at(), 102 * S);
    mn_triggers_remove(triggers, &slow.armed);
}

static void test_nobody_looks_when_nobody_waits(void) {
    Waiter waiter;

    put_stalls(101 * S, 50 * S);
    look(S);
    CU_ASSERT_EQUAL(looked_at(), 0);
    arm(&waiter, "some 1000000 1000000");
    CU_ASSERT_EQUAL(looked_at(), 101 * S);
    mn_triggers_remove(triggers, &waiter.armed);
    put_stalls(102 * S, 50 * S);
    look(S);
    CU_ASSERT_EQUAL(looked_at(), 101 * S);
}

static void test_a_group_that_is_made_anew_begins_anew(void) {
    Waiter waiter;

    arm(&waiter, "some 150000 1000000");
    plain_group_remove(directory);
    look(S);
    CU_ASSERT_TRUE(mn_board_is_gone(world->board));
    CU_ASSERT_EQUAL(waiter.n_events, 0);
    plain_group_make(directory, MN_CGROUP_V2);
    put_stalls(200 * S, 100 * S);
    mn_triggers_begin_anew(triggers);
    look(S);
    CU_ASSERT_EQUAL(waiter.n_events, 0);
    put_stalls(200 * S + 150000, 100 * S);
    look(S / 2);
    CU_ASSERT_EQUAL(waiter.n_events, 1);
    mn_triggers_remove(triggers, &waiter.armed);
}

static void test_simulated_stalls_are_told(void) {
    Waiter some, full;

    arm(&some, "some 150000 1000000");
    arm(&full, "full 150000 1000000");
    world_simulate(world, "stall_some 50% stall_full 5%");
    for (guint i = 0; i < 20; i++)
        look(100000);
    CU_ASSERT_TRUE(some.n_events >= 1);
    CU_ASSERT_EQUAL(full.n_events, 0);
    world_simulate(world, "stall_full 50%");
    for (guint i = 0; i < 20; i++)
        look(100000);
    CU_ASSERT_TRUE(full.n_events >= 1);
    mn_triggers_remove(triggers, &some.armed);
    mn_triggers_remove(triggers, &full.armed);
}

static CU_TestInfo tests[] = {
    { "each is told what it waits for", test_each_is_told_what_it_waits_for },
    { "what was stalled before it came", test_what_was_stalled_before_it_came_does_not_count },
    { "the shortest window says how often anybody looks", test_the_shortest_window_says_how_often },
    { "nobody looks when nobody waits", test_nobody_looks_when_nobody_waits },
    { "a group that is made anew", test_a_group_that_is_made_anew_begins_anew },
    { "simulated stalls", test_simulated_stalls_are_told },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "triggers", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
