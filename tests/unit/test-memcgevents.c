/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told about a group or the system, as far as files of a test can tell it: what the kernel
 * reports, and what comes with a period, is in tests/integration and tests/vm. */
#include "core/cgroup.h"
#include "descriptors.h"
#include "plain-group.h"
#include "runner.h"
#include "memcg/memcgevents.h"
#include "world.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static World *world;
static char *directory;
static MnMemcg *memcg;
static MnMemcgEvents *events;
static guint n_told, n_removed, n_returned;
static guint64 n_ooms;
static MnPressure last_level;

static void on_ooms(guint64 n, gpointer data G_GNUC_UNUSED) {
    n_told++;
    n_ooms += n;
}

static void on_pressure(MnPressure level, gpointer data G_GNUC_UNUSED) {
    n_told++;
    last_level = level;
}

static void on_removed(gpointer data) {
    g_assert_true(data == &n_removed);
    n_removed++;
}

static void on_returned(gpointer data) {
    g_assert_true(data == &n_removed);
    n_returned++;
}

static const MnMemcgListener listener = { on_ooms, on_pressure, on_removed, on_returned, &n_removed };

/* Begins anew with a group of that version; 0 for the whole system. */
static void begin(guint version) {
    n_told = n_removed = n_returned = 0;
    n_ooms = 0;
    memcg = NULL;
    if (version > 0) {
        directory = plain_group_new(version);
        g_assert_cmpint(mn_memcg_new(directory, &memcg), ==, 0);
    }
    world = world_new_with("debian-6.1", memcg);
    events = mn_memcg_events_new(world->board, &listener);
}

static void end(void) {
    g_clear_pointer(&events, mn_memcg_events_free);
    g_clear_pointer(&world, world_free);
    g_clear_pointer(&directory, plain_group_free);
}

static void test_kills(void) {
    static const struct {
        guint version;
        const char *name; /* NULL: there is no file */
        const char *text;
        int expected;
        guint64 kills;
    } rows[] = {
        { MN_CGROUP_V1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", 0, 7 },
        { MN_CGROUP_V1, "memory.oom_control", "oom_kill_disable 1\nunder_oom 1\n", 0, 0 }, /* before 4.13 */
        { MN_CGROUP_V1, NULL, NULL, -ENOENT, 0 },
        { MN_CGROUP_V2, "memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n", 0, 2 },
        { MN_CGROUP_V2, "memory.events", "low 0\n", 0, 0 },
        { MN_CGROUP_V2, NULL, NULL, -ENOENT, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 kills = 0;

        begin(rows[i].version);
        if (rows[i].name)
            plain_group_put(directory, rows[i].name, rows[i].text);
        CHECK(mn_memcg_events_get_oom_kills(events, &kills) == rows[i].expected, "%u", i);
        CHECK(kills == rows[i].kills, "%u: %" G_GUINT64_FORMAT, i, kills);
        end();
    }
}

/* Those of the groups below are counted in memory.events, too. */
static void test_only_the_groups_own_kills(void) {
    guint64 kills = 0;

    begin(MN_CGROUP_V2);
    plain_group_put(directory, "memory.events", "oom 30\noom_kill 20\n");
    plain_group_put(directory, "memory.events.local", "oom 3\noom_kill 2\n");
    CU_ASSERT_EQUAL(mn_memcg_events_get_oom_kills(events, &kills), 0);
    CU_ASSERT_EQUAL(kills, 2);
    end();
}

static void test_kills_of_the_system(void) {
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    const char *line;
    guint64 kills = 4711;

    begin(0);
    path = g_build_filename(world->directory, "vmstat", NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "\noom_kill ");
    CU_ASSERT_EQUAL(mn_memcg_events_get_oom_kills(events, &kills), 0);
    CU_ASSERT_EQUAL(kills, g_ascii_strtoull(line + strlen("\noom_kill "), NULL, 10));
    end();
}

static void test_watching_is_done_once(void) {
    static const guint versions[] = { 0, MN_CGROUP_V2 };

    for (guint i = 0; i < G_N_ELEMENTS(versions); i++) {
        guint before, watching;

        begin(versions[i]);
        if (directory)
            plain_group_put(directory, "memory.events", "oom 3\noom_kill 2\n");
        before = open_descriptors("");
        for (guint n = 0; n < 2; n++) {
            CHECK(mn_memcg_events_watch_ooms(events) == 0, "%u", i);
            CHECK(mn_memcg_events_watch_pressure(events) == 0, "%u", i);
            mn_memcg_events_watch_removal(events);
            watching = open_descriptors("");
            CHECK(watching == before + (directory ? 1 : 0), "%u: %u", i, watching - before);
        }
        for (guint n = 0; n < 2; n++) {
            mn_memcg_events_unwatch_ooms(events);
            mn_memcg_events_unwatch_pressure(events);
            mn_memcg_events_unwatch_removal(events);
            CHECK(open_descriptors("") == before, "%u", i);
        }
        CHECK(n_told == 0, "%u", i); /* what was there before is no event */
        end();
    }
}

/* The counter of kills, which is looked at once a second, and not more often. */
static void test_ooms_are_told(void) {
    begin(MN_CGROUP_V1);
    plain_group_put(directory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), 0);
    plain_group_put(directory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 9\n");
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_ooms, 0); /* not due */
    world_skip(world, G_TIME_SPAN_SECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_ooms, 2);
    world_skip(world, G_TIME_SPAN_SECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_told, 1);

    plain_group_put(directory, "memory.oom_control", "oom_kill 18446744073709551615\n"); /* whatever it claims */
    world_skip(world, G_TIME_SPAN_SECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_told, 2);
    CU_ASSERT_EQUAL(n_ooms, 1002);

    mn_memcg_events_unwatch_ooms(events);
    plain_group_put(directory, "memory.oom_control", "oom_kill 0\n"); /* begins anew */
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), 0);
    plain_group_put(directory, "memory.oom_control", "oom_kill 1\n");
    world_skip(world, G_TIME_SPAN_SECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_ooms, 1003);
    end();
}

static void test_pressure_is_told(void) {
    begin(MN_CGROUP_V2);
    plain_group_put(directory, "memory.events", "oom 0\n");
    plain_group_put(directory, "memory.stat", "pgscan_direct 0\npgsteal_direct 0\n");
    CU_ASSERT_EQUAL(mn_memcg_events_watch_pressure(events), 0);
    plain_group_put(directory, "memory.stat", "pgscan_direct 1000\npgsteal_direct 10\n");
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_told, 0); /* not due */
    world_skip(world, 100 * G_TIME_SPAN_MILLISECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(n_told, 1);
    CU_ASSERT_EQUAL(last_level, MN_PRESSURE_CRITICAL);

    plain_group_put(directory, "memory.stat", "pgscan_direct 2000\npgsteal_direct 1000\n");
    world_skip(world, 100 * G_TIME_SPAN_MILLISECOND);
    mn_board_refresh(world->board);
    CU_ASSERT_EQUAL(last_level, MN_PRESSURE_LOW);
    end();
}

static void test_what_cannot_be_watched(void) {
    g_autofree char *local = NULL;
    guint before;

    begin(MN_CGROUP_V1);
    CU_ASSERT_EQUAL(mn_memcg_events_watch_pressure(events), -EOPNOTSUPP);
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), -ENOENT);
    end();

    begin(MN_CGROUP_V2);
    before = open_descriptors("");
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), -ENOENT);
    CU_ASSERT_EQUAL(mn_memcg_events_watch_pressure(events), -ENOENT); /* for want of memory.events */
    local = g_build_filename(directory, "memory.events.local", NULL);
    CU_ASSERT_EQUAL_FATAL(g_mkdir(local, 0755), 0); /* can be opened, and not read */
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), -EISDIR);
    CU_ASSERT_EQUAL(open_descriptors(""), before);
    g_rmdir(local);

    plain_group_put(directory, "memory.events", "oom 0\n"); /* and then it can */
    CU_ASSERT_EQUAL(mn_memcg_events_watch_ooms(events), 0);
    CU_ASSERT_EQUAL(mn_memcg_events_watch_pressure(events), 0);
    end();
}

static void test_removal_is_told_once(void) {
    begin(MN_CGROUP_V2);
    CU_ASSERT(!mn_memcg_events_check_removed(events));
    plain_group_remove(directory);
    CU_ASSERT(mn_memcg_events_check_removed(events));
    CU_ASSERT(mn_memcg_events_check_removed(events));
    CU_ASSERT_EQUAL(n_removed, 1);
    CU_ASSERT_EQUAL(n_returned, 0);
    end();
}

static void test_return_is_told_once(void) {
    begin(MN_CGROUP_V2);
    plain_group_remove(directory);
    CU_ASSERT(mn_memcg_events_check_removed(events));
    plain_group_make(directory, MN_CGROUP_V2);
    CU_ASSERT(!mn_memcg_events_check_removed(events));
    CU_ASSERT(!mn_memcg_events_check_removed(events));
    CU_ASSERT_EQUAL(n_returned, 1);

    plain_group_remove(directory); /* and nobody looks meanwhile */
    plain_group_make(directory, MN_CGROUP_V2);
    CU_ASSERT(!mn_memcg_events_check_removed(events));
    CU_ASSERT_EQUAL(n_removed, 2);
    CU_ASSERT_EQUAL(n_returned, 2);
    end();
}

static void test_removal_is_noticed(void) {
    begin(MN_CGROUP_V2);
    mn_memcg_events_watch_removal(events);
    plain_group_remove(directory);
    while (n_removed == 0)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n_removed, 1);
    end();
}

/* It shows in the directory above, as the removal of our group would. */
static void test_the_removal_of_another_group(void) {
    g_autofree char *other = NULL;

    begin(MN_CGROUP_V2);
    other = g_strconcat(directory, "-other", NULL);
    CU_ASSERT_EQUAL_FATAL(g_mkdir(other, 0755), 0);
    mn_memcg_events_watch_removal(events);
    g_rmdir(other);
    g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n_removed, 0);
    plain_group_remove(directory);
    while (n_removed == 0)
        g_main_context_iteration(NULL, TRUE);
    end();
}

static void test_the_system_is_not_removed(void) {
    guint before;

    begin(0);
    before = open_descriptors("");
    mn_memcg_events_watch_removal(events);
    CU_ASSERT_EQUAL(open_descriptors(""), before);
    CU_ASSERT(!mn_memcg_events_check_removed(events));
    end();
}

static CU_TestInfo tests[] = {
    { "kills", test_kills },
    { "only the group's own kills", test_only_the_groups_own_kills },
    { "kills of the system", test_kills_of_the_system },
    { "watching is done once", test_watching_is_done_once },
    { "OOMs are told, once a second", test_ooms_are_told },
    { "pressure is told", test_pressure_is_told },
    { "what cannot be watched", test_what_cannot_be_watched },
    { "removal is told once", test_removal_is_told_once },
    { "and its return is", test_return_is_told_once },
    { "removal is noticed", test_removal_is_noticed },
    { "the removal of another group", test_the_removal_of_another_group },
    { "the system is not removed", test_the_system_is_not_removed },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "memcgevents", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
