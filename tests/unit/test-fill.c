/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How fast memory fills up, without a clock. */
#include "core/fill.h"
#include "runner.h"

#define SECOND_US G_TIME_SPAN_SECOND
#define MINUTE_US (60 * SECOND_US)

static void test_speed_of_a_step(void) {
    static const struct {
        guint64 pages;
        gint64 step_us;
        guint64 latest, expected;
    } rows[] = {
        { 0, 10000, 0, 0 },
        { 100, 10000, 10000, 12500 },
        { 1, 15 * SECOND_US, 0, 0 },
        { 3, 2 * SECOND_US, 1, 1 },
        { G_MAXUINT64 / 2, SECOND_US, G_MAXUINT64, G_MAXUINT64 },
        { G_MAXUINT64, MN_FILL_STEP_US, G_MAXUINT64, G_MAXUINT64 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnFill fill = { 0 };

        mn_fill_step(&fill, rows[i].pages, rows[i].step_us, MINUTE_US);
        CHECK(fill.latest == rows[i].latest, "row %u", i);
        CHECK(mn_fill_expected(&fill) == rows[i].expected, "row %u", i);
    }
}

static void test_the_fastest_is_remembered(void) {
    MnFill fill = { 0 };

    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 0);
    mn_fill_step(&fill, 1000, SECOND_US, MINUTE_US);
    mn_fill_step(&fill, 4000, SECOND_US, 2 * MINUTE_US);
    mn_fill_step(&fill, 0, SECOND_US, 3 * MINUTE_US);
    CU_ASSERT_EQUAL(fill.latest, 0);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 5000);
}

/* From one to two times the time of remembrance. */
static void test_it_is_forgotten(void) {
    MnFill fill = { 0 };
    gint64 start_us = 1000 * MINUTE_US;

    mn_fill_step(&fill, 4000, SECOND_US, start_us);
    mn_fill_step(&fill, 400, SECOND_US, start_us + MN_FILL_MEMORY_US);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 5000);
    mn_fill_step(&fill, 40, SECOND_US, start_us + 2 * MN_FILL_MEMORY_US - 1);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 5000);
    mn_fill_step(&fill, 40, SECOND_US, start_us + 2 * MN_FILL_MEMORY_US);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 500);
    mn_fill_step(&fill, 40, SECOND_US, start_us + 3 * MN_FILL_MEMORY_US);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 50);
}

static void test_it_is_forgotten_after_a_long_sleep(void) {
    MnFill fill = { 0 };

    mn_fill_step(&fill, 4000, SECOND_US, MINUTE_US);
    mn_fill_step(&fill, 0, SECOND_US, MINUTE_US + 2 * MN_FILL_MEMORY_US);
    CU_ASSERT_EQUAL(mn_fill_expected(&fill), 0);
}

static CU_TestInfo tests[] = {
    { "the speed of a step", test_speed_of_a_step },
    { "the fastest is remembered", test_the_fastest_is_remembered },
    { "it is forgotten", test_it_is_forgotten },
    { "it is forgotten after a long sleep", test_it_is_forgotten_after_a_long_sleep },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "fill", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
