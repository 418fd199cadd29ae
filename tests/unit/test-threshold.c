/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named thresholds: what they show, when they tell, and what goes into the log. */
#include "runner.h"
#include "thresholds/threshold.h"
#include "world.h"

#include <errno.h>
#include <string.h>

typedef struct Thresholds {
    World *world;
    MnQuota *quota;
    MnThresholds *all;
    MnThreshold *low;
    guint n_changed;
    guint n_appended;
    guint64 cursor;
} Thresholds;

static Thresholds fixture;

static void on_changed(gpointer data) {
    ((Thresholds *)data)->n_changed++;
}

static void on_appended(gpointer data) {
    ((Thresholds *)data)->n_appended++;
}

/* Used, active and free are simulated from the start: no test depends on the numbers of the machine. */
static void set_up(void) {
    memset(&fixture, 0, sizeof fixture);
    fixture.world = world_new("debian-6.1-zram");
    world_simulate(fixture.world, "used 1000 active 1000 free 1000 total 10000");
    fixture.quota = mn_quota_new(0, 0);
    fixture.all = mn_thresholds_new(fixture.world->board, fixture.quota);
    mn_thresholds_set_appended(fixture.all, on_appended, &fixture);
    g_assert_cmpint(mn_threshold_new(fixture.all, "low", 1000, &fixture.low), ==, 0);
    mn_threshold_set_changed(fixture.low, on_changed, &fixture);
}

static void tear_down(void) {
    mn_threshold_free(fixture.low);
    mn_thresholds_free(fixture.all);
    mn_quota_free(fixture.quota);
    world_free(fixture.world);
}

static int write_text(const char *text, gboolean add) {
    return mn_threshold_write(fixture.low, text, strlen(text), add, NULL);
}

static void check_shows(const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);

    CU_ASSERT_EQUAL(mn_threshold_render(fixture.low, text), 0);
    CHECK(strcmp(text->str, expected) == 0, "%s", text->str);
}

/* The next line of the log without its time; "" for none. */
static void check_logged(const char *expected) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    gsize len = mn_event_log_next(mn_thresholds_get_log(fixture.all), &fixture.cursor, line);
    const char *rest = len > 0 ? strchr(line, ' ') + 1 : "";

    CHECK(strncmp(rest, expected, strlen(expected)) == 0 && (len == 0) == (*expected == '\0'), "%s instead of %s", rest,
          expected);
}

static void test_names(void) {
    static const struct {
        const char *name;
        int expected;
    } rows[] = {
        { "low", 0 }, /* whether it is free is the caller's care */
        { "a", 0 },
        { "caf\xc3\xa9", 0 },
        { "--", 0 },
        { "1.2_3-4", 0 },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 }, /* 64 */
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -ENAMETOOLONG },
        { "-", -EINVAL },
        { "a b", -EINVAL },
        { "a\tb", -EINVAL },
        { "a\nb", -EINVAL },
        { "a\x7f", -EINVAL },
        { "a\x1b[0m", -EINVAL },
        { "caf\xc3", -EINVAL },
        { "\xff", -EINVAL },
        { "a\xc2\xa0"
          "b",
          -EINVAL }, /* a no-break space */
        { "a\xe2\x80\xa8"
          "b",
          -EINVAL }, /* a line separator */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnThreshold *threshold = NULL;

        CHECK(mn_threshold_new(fixture.all, rows[i].name, 0, &threshold) == rows[i].expected, "%s", rows[i].name);
        CHECK((threshold != NULL) == (rows[i].expected == 0), "%s", rows[i].name);
        mn_threshold_free(threshold);
    }
}

static void test_quota(void) {
    static MnThreshold *many[MEMNOTIFYFS_THRESHOLDS_MAX];
    MnThreshold *refused = NULL;
    guint n = 0;

    for (; n < MEMNOTIFYFS_THRESHOLDS_PER_USER_MAX - 1; n++) /* the fixture's is one more */
        g_assert_cmpint(mn_threshold_new(fixture.all, "x", 1000, &many[n]), ==, 0);
    CU_ASSERT_EQUAL(mn_threshold_new(fixture.all, "x", 1000, &refused), -EDQUOT);

    mn_threshold_free(many[--n]);
    CU_ASSERT_EQUAL(mn_threshold_new(fixture.all, "x", 1000, &many[n++]), 0);

    for (; n < MEMNOTIFYFS_THRESHOLDS_MAX - 1; n++) /* of others, root without a limit of its own */
        g_assert_cmpint(mn_threshold_new(fixture.all, "x", 0, &many[n]), ==, 0);
    CU_ASSERT_EQUAL(mn_threshold_new(fixture.all, "x", 0, &refused), -EDQUOT);
    CU_ASSERT_EQUAL(mn_threshold_new(fixture.all, "x", 2000, &refused), -EDQUOT);
    CU_ASSERT_PTR_NULL(refused);

    while (n > 0)
        mn_threshold_free(many[--n]);
}

static void test_text(void) {
    check_shows("");
    CU_ASSERT_EQUAL(write_text("used 1000 free<50%", FALSE), 0);
    check_shows("used value=1000 op=>= limit=1000 reached=1 crossings=0\n"
                "free value=1000 op=< limit=5000 reached=1 crossings=0\n");
    CU_ASSERT_EQUAL(write_text("\n", FALSE), 0);
    check_shows("");
}

static void test_a_bad_write_keeps_limits_state_and_count(void) {
    static const char *const bad[] = { "nonsense 5", "used",          "used -1",     "used 101%",
                                       "used 10X",   "used 5 used 6", "used 5 \xc3", "used 18446744073709551616" };
    guint64 generation;

    mn_threshold_wait(fixture.low);
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);
    world_simulate(fixture.world, "used 3000");
    generation = mn_threshold_get_generation(fixture.low);

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        CHECK(write_text(bad[i], FALSE) == -EINVAL, "%s", bad[i]);
        CHECK(write_text(bad[i], TRUE) == -EINVAL, "%s", bad[i]);
    }
    CU_ASSERT_EQUAL(mn_threshold_get_generation(fixture.low), generation);
    check_shows("used value=3000 op=>= limit=2000 reached=1 crossings=1\n");

    world_simulate(fixture.world, "used 0");
    check_shows("used value=0 op=>= limit=2000 reached=0 crossings=2\n");
    mn_threshold_unwait(fixture.low);
}

static void test_crossings_are_told_and_counted(void) {
    mn_threshold_wait(fixture.low);
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);
    CU_ASSERT_EQUAL(fixture.n_changed, 1);

    world_simulate(fixture.world, "used 1999");
    CU_ASSERT_EQUAL(fixture.n_changed, 1);
    world_simulate(fixture.world, "used 2000");
    CU_ASSERT_EQUAL(fixture.n_changed, 2);
    world_simulate(fixture.world, "used 2500");
    CU_ASSERT_EQUAL(fixture.n_changed, 2);
    world_simulate(fixture.world, "used 100");
    CU_ASSERT_EQUAL(fixture.n_changed, 3);
    check_shows("used value=100 op=>= limit=2000 reached=0 crossings=2\n");
    CU_ASSERT_EQUAL(mn_threshold_get_generation(fixture.low), 4);
    mn_threshold_unwait(fixture.low);
}

static void test_nobody_waits(void) {
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);
    world_simulate(fixture.world, "used 3000");
    CU_ASSERT_EQUAL(fixture.n_changed, 1);
    CU_ASSERT_EQUAL(fixture.n_appended, 0);
}

static void test_what_crossed_meanwhile_is_seen_once(void) {
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);
    world_simulate(fixture.world, "used 3000");

    mn_threshold_wait(fixture.low);
    CU_ASSERT_EQUAL(fixture.n_changed, 2);
    mn_threshold_wait(fixture.low); /* another comes and one goes */
    mn_threshold_unwait(fixture.low);
    CU_ASSERT_EQUAL(fixture.n_changed, 2);

    world_simulate(fixture.world, "used 0"); /* the first still waits */
    CU_ASSERT_EQUAL(fixture.n_changed, 3);
    check_logged(""); /* for nobody listened */
    mn_threshold_unwait(fixture.low);
}

static void test_an_update_brings_all_up_to_date(void) {
    MnThreshold *other;
    MnThresholdLimit limit;

    g_assert_cmpint(mn_threshold_new(fixture.all, "other", 2000, &other), ==, 0);
    CU_ASSERT_EQUAL(write_text("free<5% used 2000", FALSE), 0);
    CU_ASSERT_EQUAL(mn_threshold_write(other, "active<500", 10, FALSE, NULL), 0);
    world_simulate(fixture.world, "used 3000 active 10");
    CU_ASSERT_FALSE(mn_threshold_get_limit(fixture.low, 1).is_reached);

    mn_thresholds_update(fixture.all);
    limit = mn_threshold_get_limit(fixture.low, 0);
    CU_ASSERT_EQUAL(limit.meter, MN_METER_FREE);
    CU_ASSERT_EQUAL(limit.op, MN_OP_BELOW);
    CU_ASSERT_EQUAL(limit.pages, 500);
    CU_ASSERT_FALSE(limit.is_reached);
    CU_ASSERT_EQUAL(limit.n_crossings, 0);
    CU_ASSERT_TRUE(mn_threshold_get_limit(fixture.low, 1).is_reached);
    CU_ASSERT_EQUAL(mn_threshold_get_limit(fixture.low, 1).n_crossings, 1);
    CU_ASSERT_TRUE(mn_threshold_get_limit(other, 0).is_reached);
    CU_ASSERT_EQUAL(mn_threshold_get_n_limits(other), 1);

    world_simulate(fixture.world, "used 0"); /* nor is anybody followed from then on */
    CU_ASSERT_TRUE(mn_threshold_get_limit(fixture.low, 1).is_reached);
    mn_threshold_wait(fixture.low);
    mn_thresholds_update(fixture.all);
    CU_ASSERT_EQUAL(mn_threshold_get_limit(fixture.low, 1).n_crossings, 2);
    mn_threshold_unwait(fixture.low);
    mn_threshold_free(other);
}

static void test_listeners_hear_all(void) {
    MnThreshold *other;

    g_assert_cmpint(mn_threshold_new(fixture.all, "other", 0, &other), ==, 0);
    CU_ASSERT_EQUAL(mn_threshold_write(other, "free<500", 8, FALSE, NULL), 0);
    CU_ASSERT_EQUAL(write_text("used 2000 active 2000", FALSE), 0);

    mn_thresholds_listen(fixture.all);
    world_simulate(fixture.world, "used 2000 active 2001");
    CU_ASSERT_EQUAL(fixture.n_appended, 1);
    world_simulate(fixture.world, "free 499");
    CU_ASSERT_EQUAL(fixture.n_appended, 2);
    check_logged("low used reached 2000 2000\n");
    check_logged("low active reached 2001 2000\n");
    check_logged("other free reached 499 500\n");
    check_logged("");

    mn_thresholds_unlisten(fixture.all);
    world_simulate(fixture.world, "used 0 free 10000");
    check_logged("");
    mn_threshold_free(other);
}

static void test_writing_while_somebody_listens(void) {
    mn_thresholds_listen(fixture.all);
    CU_ASSERT_EQUAL(write_text("used 500", FALSE), 0); /* reached already: no event */
    check_logged("");
    world_simulate(fixture.world, "used 0");
    check_logged("low used left 0 500\n");
    mn_thresholds_unlisten(fixture.all);
}

static void test_adding(void) {
    CU_ASSERT_EQUAL(write_text("used 2000 free<100", FALSE), 0);
    CU_ASSERT_EQUAL(write_text("active 3000", TRUE), 0);
    check_shows("active value=1000 op=>= limit=3000 reached=0 crossings=0\n"
                "used value=1000 op=>= limit=2000 reached=0 crossings=0\n"
                "free value=1000 op=< limit=100 reached=0 crossings=0\n");
    CU_ASSERT_EQUAL(write_text("used<7", TRUE), 0); /* replaces */
    CU_ASSERT_EQUAL(write_text("free 0", TRUE), 0); /* removes */
    CU_ASSERT_EQUAL(write_text("", TRUE), 0);       /* leaves all as it is */
    check_shows("used value=1000 op=< limit=7 reached=0 crossings=0\n"
                "active value=1000 op=>= limit=3000 reached=0 crossings=0\n");
    CU_ASSERT_EQUAL(write_text("used 5", FALSE), 0); /* the whole set */
    check_shows("used value=1000 op=>= limit=5 reached=1 crossings=0\n");
}

static void test_adding_keeps_counts_of_the_others(void) {
    mn_threshold_wait(fixture.low);
    CU_ASSERT_EQUAL(write_text("used 2000 active 2000", FALSE), 0);
    world_simulate(fixture.world, "used 3000 active 3000");
    CU_ASSERT_EQUAL(write_text("active 2500", TRUE), 0);
    check_shows("active value=3000 op=>= limit=2500 reached=1 crossings=0\n"
                "used value=3000 op=>= limit=2000 reached=1 crossings=1\n");
    mn_threshold_unwait(fixture.low);
}

/* A limit that is not named goes on as if nothing had been written: within its hysteresis it stays
 * reached, so that the log never has two of a kind in a row. */
static void test_adding_keeps_the_state_of_the_others(void) {
    mn_thresholds_listen(fixture.all);
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);
    world_simulate(fixture.world, "used 2000");
    check_logged("low used reached 2000 2000\n");
    world_simulate(fixture.world, "used 1990"); /* less than total / 128 below */
    CU_ASSERT_EQUAL(write_text("active 5000", TRUE), 0);
    check_shows("active value=1000 op=>= limit=5000 reached=0 crossings=0\n"
                "used value=1990 op=>= limit=2000 reached=1 crossings=1\n");
    world_simulate(fixture.world, "used 2000");
    check_logged("");
    world_simulate(fixture.world, "used 0");
    check_logged("low used left 0 2000\n");
    mn_thresholds_unlisten(fixture.all);
}

static void test_total_is_live(void) {
    mn_threshold_wait(fixture.low);
    CU_ASSERT_EQUAL(write_text("used 50%", FALSE), 0);
    check_shows("used value=1000 op=>= limit=5000 reached=0 crossings=0\n");
    world_simulate(fixture.world, "total 1000");
    check_shows("used value=1000 op=>= limit=500 reached=1 crossings=1\n");
    mn_threshold_unwait(fixture.low);
}

static void test_all_meters(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) shown = g_string_new(NULL);
    guint n_lines = 0;

    for (guint id = 0; id < MN_N_METERS; id++)
        g_string_append_printf(text, "%s 1%%\n", mn_meters[id].name);
    CU_ASSERT_EQUAL(write_text(text->str, FALSE), 0);
    CU_ASSERT_EQUAL(write_text(text->str, TRUE), 0);
    CU_ASSERT_EQUAL(mn_threshold_render(fixture.low, shown), 0);
    for (const char *at = shown->str; (at = strchr(at, '\n')); at++)
        n_lines++;
    CU_ASSERT_EQUAL(n_lines, MN_N_METERS);
    CU_ASSERT_TRUE(shown->len < 4096); /* what stat() says */
}

/* Every meter but total, which the others are measured by. */
static void simulate_all(guint pages) {
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint id = 0; id < MN_N_METERS; id++)
        if (id != MN_METER_TOTAL)
            g_string_append_printf(text, "%s %u ", mn_meters[id].name, pages);
    world_simulate(fixture.world, text->str);
}

/* How many lines of the log the reader gets; each is to be one of a crossing. */
static guint count_logged(void) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    guint n = 0;

    while (mn_event_log_next(mn_thresholds_get_log(fixture.all), &fixture.cursor, line) > 0) {
        CHECK(strstr(line, " - - lost ") == NULL, "%s", line);
        n++;
    }
    return n;
}

/* All limits of a user in one sample, and once more in the next. */
static void test_who_is_up_to_date_loses_nothing(void) {
    enum {
        N = MN_LIMITS_PER_USER_MAX / (MN_N_METERS - 1) /* without total */
    };
    g_autoptr(GString) text = g_string_new(NULL);
    MnThreshold *thresholds[N] = { fixture.low };

    simulate_all(0);
    for (guint id = 0; id < MN_N_METERS; id++)
        if (id != MN_METER_TOTAL)
            g_string_append_printf(text, "%s 5000 ", mn_meters[id].name);
    for (guint i = 0; i < N; i++) {
        if (i > 0)
            g_assert_cmpint(mn_threshold_new(fixture.all, "x", 1000, &thresholds[i]), ==, 0);
        CU_ASSERT_EQUAL(mn_threshold_write(thresholds[i], text->str, text->len, FALSE, NULL), 0);
    }

    mn_thresholds_listen(fixture.all);
    simulate_all(5000);
    CU_ASSERT_EQUAL(count_logged(), N * (MN_N_METERS - 1));
    simulate_all(0);
    simulate_all(5000);
    for (guint i = 1; i < N; i++) /* whatever becomes of them now */
        mn_threshold_free(thresholds[i]);
    CU_ASSERT_EQUAL(count_logged(), 2 * N * (MN_N_METERS - 1));
    mn_thresholds_unlisten(fixture.all);
}

/* His limits of before do not count. */
static void write_and_remove(uid_t uid) {
    for (guint i = 0; i < MN_EVENT_LOG_LINES; i++) {
        MnThreshold *threshold;

        g_assert_cmpint(mn_threshold_new(fixture.all, "x", uid, &threshold), ==, 0);
        CU_ASSERT_EQUAL(mn_threshold_write(threshold, "used 5 free 5", 13, FALSE, NULL), 0);
        CU_ASSERT_EQUAL(mn_threshold_write(threshold, "used 5", 6, FALSE, NULL), 0);
        mn_threshold_free(threshold);
    }
}

static void test_another_user_cannot_push_out_lines(void) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX] = "";
    MnThreshold *other;

    write_and_remove(2000);
    g_assert_cmpint(mn_threshold_new(fixture.all, "other", 2000, &other), ==, 0);
    CU_ASSERT_EQUAL(mn_threshold_write(other, "free 2000", 9, FALSE, NULL), 0);
    CU_ASSERT_EQUAL(write_text("used 2000", FALSE), 0);

    mn_thresholds_listen(fixture.all);
    world_simulate(fixture.world, "used 2000");
    for (guint i = 0; i < 3 * MN_EVENT_LOG_LINES; i++)
        world_simulate(fixture.world, i % 2 ? "free 0" : "free 2000");
    world_simulate(fixture.world, "used 0");

    check_logged("low used reached 2000 2000\n");
    (void)mn_event_log_next(mn_thresholds_get_log(fixture.all), &fixture.cursor, line);
    CHECK(strstr(line, " - - lost 2048\n") != NULL, "%s", line);
    CU_ASSERT_EQUAL(count_logged(), MN_EVENT_LOG_LINES + 1);
    mn_thresholds_unlisten(fixture.all);
    mn_threshold_free(other);
}

static CU_TestInfo tests[] = {
    { "names", test_names },
    { "quota", test_quota },
    { "the text", test_text },
    { "a bad write keeps limits, state and count", test_a_bad_write_keeps_limits_state_and_count },
    { "crossings are told and counted", test_crossings_are_told_and_counted },
    { "while nobody waits nothing is told", test_nobody_waits },
    { "what crossed meanwhile is seen once", test_what_crossed_meanwhile_is_seen_once },
    { "an update brings all up to date", test_an_update_brings_all_up_to_date },
    { "listeners hear of all thresholds", test_listeners_hear_all },
    { "writing while somebody listens", test_writing_while_somebody_listens },
    { "adding replaces what is named and leaves the rest", test_adding },
    { "adding keeps the counts of the others", test_adding_keeps_counts_of_the_others },
    { "adding keeps the state of the others", test_adding_keeps_the_state_of_the_others },
    { "per cent follow total", test_total_is_live },
    { "all meters at once", test_all_meters },
    { "who is up to date loses nothing, whatever crosses", test_who_is_up_to_date_loses_nothing },
    { "another user cannot push out lines", test_another_user_cannot_push_out_lines },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "threshold", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
