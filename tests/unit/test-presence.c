/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The board over a group that is removed and made anew: who is told, and what is compared with what. */
#include "plain-group.h"
#include "runner.h"
#include "world.h"

#include <errno.h>
#include <unistd.h>

#define PAGES(mib) ((guint64)(mib)*1048576 / (guint64)sysconf(_SC_PAGESIZE))

static char *directory;
static World *world;
static guint n_warnings, n_messages, n_crossed, n_gone, n_back, n_devices;

static void count_log(const char *domain G_GNUC_UNUSED, GLogLevelFlags level, const char *message G_GNUC_UNUSED,
                      gpointer data G_GNUC_UNUSED) {
    n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
    n_messages += (level & G_LOG_LEVEL_MESSAGE) != 0;
}

static void on_crossing(MnWatch *watch G_GNUC_UNUSED, const MnReading *reading G_GNUC_UNUSED) {
    n_crossed++;
}

static void on_presence(MnWitness *witness G_GNUC_UNUSED, const MnMoment *moment) {
    n_gone += moment->is_gone;
    n_back += !moment->is_gone;
}

static void on_device_told(MnSubscriber *subscriber G_GNUC_UNUSED, const MnMoment *moment G_GNUC_UNUSED) {
    n_devices++;
}

static MnWitness witness = { .presence_changed = on_presence };

/* A group that uses so much of its limit. */
static void put_group(guint64 usage_mib, const char *limit) {
    plain_group_put_pages(directory, "memory.current", PAGES(usage_mib));
    plain_group_put(directory, "memory.max", limit);
}

static void remake_group(guint64 usage_mib, const char *limit) {
    plain_group_make(directory, MN_CGROUP_V2);
    put_group(usage_mib, limit);
}

static void set_up(void) {
    MnGroup *group;

    n_warnings = n_messages = n_crossed = n_gone = n_back = n_devices = 0;
    directory = plain_group_new(MN_CGROUP_V2);
    put_group(16, "67108864\n");
    g_assert_cmpint(mn_group_new(directory, &group), ==, 0);
    world = world_new_of_group("debian-6.1", group);
    witness.next = NULL;
    mn_board_add_witness(world->board, &witness);
    g_log_set_default_handler(count_log, NULL);
}

static void tear_down(void) {
    g_log_set_default_handler(g_log_default_handler, NULL);
    world_free(world);
    plain_group_free(directory);
}

static void test_who_is_told(void) {
    CU_ASSERT_FALSE(mn_board_is_gone(world->board));
    plain_group_remove(directory);
    for (guint i = 0; i < 3; i++)
        CU_ASSERT_TRUE(mn_board_is_gone(world->board));
    CU_ASSERT_EQUAL(n_gone, 1);
    CU_ASSERT_EQUAL(n_warnings, 1);
    remake_group(16, "33554432\n");
    for (guint i = 0; i < 3; i++)
        CU_ASSERT_FALSE(mn_board_is_gone(world->board));
    CU_ASSERT_EQUAL(n_gone, 1);
    CU_ASSERT_EQUAL(n_back, 1);
    CU_ASSERT_EQUAL(n_warnings, 1);
    CU_ASSERT_EQUAL(n_messages, 1);
    CU_ASSERT_EQUAL(mn_board_read(world->board)->pages[MN_METER_TOTAL], PAGES(32));
}

/* 16 of 64 MiB are no 40 %, 16 of 32 are. */
static void test_limits_go_on_with_the_new_group(void) {
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 40%", on_crossing, NULL);
    g_autoptr(MnWatch) other = world_watch_new(world, "used 10%", on_crossing, NULL);

    world_forget(watch);
    world_forget(other);
    mn_board_watch(world->board, watch);
    mn_board_watch(world->board, other);
    plain_group_remove(directory);
    mn_board_refresh(world->board);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_crossed, 0);

    remake_group(16, "33554432\n");
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_crossed, 1);
    CU_ASSERT_EQUAL(watch->reached, 1);
    CU_ASSERT_EQUAL(other->reached, 1);
    CU_ASSERT_EQUAL(watch->edges[0].enter_pages, (PAGES(32) * 40 + 99) / 100);
    mn_board_unwatch(world->board, watch);
    mn_board_unwatch(world->board, other);
}

/* A watch that is added, what is simulated, a parameter: none compares with what was. */
static void test_nothing_is_compared_while_it_is_gone(void) {
    g_autoptr(MnWatch) watch = world_watch_new(world, "used 10%", on_crossing, NULL);

    plain_group_remove(directory);
    mn_board_refresh(world->board);
    mn_board_watch(world->board, watch); /* not reached, as far as it knows */
    world_simulate(world, "used 60M");
    mn_board_set_parameters(world->board, mn_board_get_parameters(world->board));
    CU_ASSERT_EQUAL(n_crossed, 0);
    CU_ASSERT_EQUAL(watch->reached, 0);

    world_simulate(world, "reset");
    remake_group(16, "67108864\n");
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_crossed, 1);
    mn_board_unwatch(world->board, watch);
}

static void test_the_machine_goes_on(void) {
    MnSubscriber device = { .needs.machine = MN_SOURCE_ZONEINFO, .told = on_device_told };

    plain_group_remove(directory);
    mn_board_subscribe(world->board, &device);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_devices, 2);
    CU_ASSERT_EQUAL(n_gone, 1);
    mn_board_unsubscribe(world->board, &device);
}

static CU_TestInfo tests[] = {
    { "who is told", test_who_is_told },
    { "limits go on with the new group", test_limits_go_on_with_the_new_group },
    { "nothing is compared while it is gone", test_nothing_is_compared_while_it_is_gone },
    { "the machine goes on", test_the_machine_goes_on },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "presence", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
