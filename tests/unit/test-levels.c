/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What memnotify-dbus says when: "at 3 medium -> 100" is the level from that second on, and what is sent then. */
#include "levels.h"
#include "runner.h"

#define S G_TIME_SPAN_SECOND
#define START_US (1000 * S) /* a clock does not begin with 0 */
#define NEVER (-1)

static Levels levels;

static void set_up(void) {
    levels_init(&levels);
}

/* At that second the level is `level` from now on. Returns what is sent. */
static Level at(guint second, Level level) {
    levels_set(&levels, level);
    return levels_take(&levels, START_US + second * S);
}

/* In which second there is something to send next; NEVER; 0 for what is due already. */
static int due(void) {
    gint64 due_us = levels_due_us(&levels);

    if (due_us == G_MAXINT64)
        return NEVER;
    return due_us <= START_US ? 0 : (int)((due_us - START_US) / S);
}

static void test_nothing_runs_while_nothing_is_short(void) {
    CU_ASSERT_EQUAL(due(), NEVER);
    CU_ASSERT_EQUAL(at(0, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(100, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), NEVER);
}

static void test_a_first_level_is_told_at_once(void) {
    levels_set(&levels, LEVEL_LOW);
    CU_ASSERT_EQUAL(due(), 0);
    CU_ASSERT_EQUAL(at(0, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(due(), 15);
}

static void test_a_rise_is_told_at_once(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(at(1, LEVEL_MEDIUM), LEVEL_MEDIUM);
    CU_ASSERT_EQUAL(at(2, LEVEL_CRITICAL), LEVEL_CRITICAL);
    CU_ASSERT_EQUAL(due(), 17);
}

static void test_a_level_may_be_skipped(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_CRITICAL), LEVEL_CRITICAL);
    CU_ASSERT_EQUAL(due(), 15);
}

static void test_what_lasts_is_repeated(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_LOW), LEVEL_LOW);
    for (guint second = 1; second < 100; second++)
        CU_ASSERT_EQUAL(at(second, LEVEL_LOW), second % 15 == 0 ? LEVEL_LOW : LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), 105);
}

static void test_the_pause_is_kept_to_the_microsecond(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(levels_take(&levels, START_US + 15 * S - 1), LEVEL_NONE);
    CU_ASSERT_EQUAL(levels_take(&levels, START_US + 15 * S), LEVEL_LOW);
}

static void test_who_is_late_starts_a_new_pause(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(at(40, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(due(), 55);
}

static void test_a_lower_level_waits(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_CRITICAL), LEVEL_CRITICAL);
    CU_ASSERT_EQUAL(at(1, LEVEL_MEDIUM), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(2, LEVEL_LOW), LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), 15);
    CU_ASSERT_EQUAL(at(15, LEVEL_LOW), LEVEL_LOW);
}

/* Also up and down around a limit: what counts is what was told. */
static void test_what_was_told_is_not_told_again(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_CRITICAL), LEVEL_CRITICAL);
    CU_ASSERT_EQUAL(at(1, LEVEL_LOW), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(2, LEVEL_MEDIUM), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(3, LEVEL_CRITICAL), LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), 15);
}

static void test_what_has_passed_is_not_told(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_MEDIUM), LEVEL_MEDIUM);
    CU_ASSERT_EQUAL(at(5, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), NEVER);
    CU_ASSERT_EQUAL(at(15, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(20, LEVEL_NONE), LEVEL_NONE);
}

static void test_a_level_that_comes_back_keeps_the_pause(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_MEDIUM), LEVEL_MEDIUM);
    CU_ASSERT_EQUAL(at(5, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(6, LEVEL_MEDIUM), LEVEL_NONE);
    CU_ASSERT_EQUAL(due(), 15);
    CU_ASSERT_EQUAL(at(15, LEVEL_MEDIUM), LEVEL_MEDIUM);
}

static void test_after_the_pause_any_level_is_told_at_once(void) {
    CU_ASSERT_EQUAL(at(0, LEVEL_CRITICAL), LEVEL_CRITICAL);
    CU_ASSERT_EQUAL(at(1, LEVEL_NONE), LEVEL_NONE);
    CU_ASSERT_EQUAL(at(100, LEVEL_LOW), LEVEL_LOW);
    CU_ASSERT_EQUAL(at(101, LEVEL_MEDIUM), LEVEL_MEDIUM); /* higher than that */
    CU_ASSERT_EQUAL(due(), 116);
}

static CU_TestInfo tests[] = {
    { "nothing runs while nothing is short", test_nothing_runs_while_nothing_is_short },
    { "a first level is told at once", test_a_first_level_is_told_at_once },
    { "a rise is told at once", test_a_rise_is_told_at_once },
    { "a level may be skipped", test_a_level_may_be_skipped },
    { "what lasts is repeated", test_what_lasts_is_repeated },
    { "the pause is kept to the microsecond", test_the_pause_is_kept_to_the_microsecond },
    { "who is late starts a new pause", test_who_is_late_starts_a_new_pause },
    { "a lower level waits", test_a_lower_level_waits },
    { "what was told is not told again", test_what_was_told_is_not_told_again },
    { "what has passed is not told", test_what_has_passed_is_not_told },
    { "a level that comes back keeps the pause", test_a_level_that_comes_back_keeps_the_pause },
    { "after the pause any level is told at once", test_after_the_pause_any_level_is_told_at_once },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "levels", NULL, NULL, set_up, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
