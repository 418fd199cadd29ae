/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any number of moments in a bounded number of columns, of which nothing that matters is lost. */
#include "runner.h"
#include "series.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

static CmdSeries series;

static void set_up_for(guint key) {
    cmd_series_init(&series, 2, key);
}

static void add(gint64 time_us, guint64 first, guint64 second) {
    cmd_series_add(&series, time_us, (const guint64[]){ first, second });
}

static void test_few_moments_stay_as_they_are(void) {
    set_up_for(0);
    for (guint i = 0; i < CMD_SERIES_COLUMNS / 2; i++)
        add(i * SECOND, 100 + i, 5);
    CU_ASSERT(series.n_columns == CMD_SERIES_COLUMNS / 2);
    CU_ASSERT(!cmd_series_is_reduced(&series));
    for (guint i = 0; i < series.n_columns; i++)
        CHECK(series.columns[i].time_us == i * SECOND && cmd_series_get(&series, i)[0] == 100 + i, "%u", i);
    cmd_series_clear(&series);
}

/* A day of seconds, with a spike of one of them. */
static void test_a_spike_is_not_lost(void) {
    const guint n = 86400, spike = 54321;
    guint found = 0;

    set_up_for(0);
    for (guint i = 0; i < n; i++)
        add(i * SECOND, i == spike ? 3 : 1000 + i % 7, i == spike + 1 ? 9000 : 7);
    CU_ASSERT(cmd_series_is_reduced(&series));
    CU_ASSERT(series.n_moments == n);
    CU_ASSERT(series.n_columns <= CMD_SERIES_COLUMNS);
    CU_ASSERT(series.n_columns >= CMD_SERIES_COLUMNS / 2);
    CU_ASSERT(cmd_series_find_lowest(&series, 0) == 3);
    CU_ASSERT(cmd_series_find_highest(&series, 1) == 9000);
    for (guint i = 0; i < series.n_columns; i++)
        if (cmd_series_get(&series, i)[0] == 3) {
            CU_ASSERT(series.columns[i].time_us == spike * SECOND);
            CU_ASSERT(cmd_series_get_highest(&series, i)[0] >= 1000);
            found++;
        }
    CU_ASSERT(found == 1);
    cmd_series_clear(&series);
}

static void test_columns_are_in_order_and_cover_all(void) {
    guint64 n = 0;

    set_up_for(CMD_SERIES_LAST);
    for (guint i = 0; i < 100000; i++)
        add((gint64)i * i, i, 0);
    for (guint i = 0; i < series.n_columns; i++) {
        guint64 low = cmd_series_get_lowest(&series, i)[0], high = cmd_series_get_highest(&series, i)[0];

        CHECK(low == n, "column %u begins with %" G_GUINT64_FORMAT, i, low);
        CHECK(cmd_series_get(&series, i)[0] == high, "the last stands for column %u", i);
        n = high + 1;
    }
    CU_ASSERT(n == 100000);
    cmd_series_clear(&series);
}

static void test_what_is_not_known_is_no_bound(void) {
    set_up_for(0);
    add(0, 5, CMD_SERIES_NONE);
    add(0, CMD_SERIES_NONE, CMD_SERIES_NONE);
    add(0, 7, CMD_SERIES_NONE);
    CU_ASSERT(series.n_columns == 1);
    CU_ASSERT(cmd_series_get(&series, 0)[0] == 5);
    CU_ASSERT(cmd_series_find_lowest(&series, 0) == 5);
    CU_ASSERT(cmd_series_find_highest(&series, 0) == 7);
    CU_ASSERT(cmd_series_find_lowest(&series, 1) == CMD_SERIES_NONE);
    CU_ASSERT(cmd_series_find_highest(&series, 1) == 0);
    cmd_series_clear(&series);
}

/* The latest that the script's times can be. */
static void test_the_longest_time(void) {
    set_up_for(0);
    add(0, 1, 1);
    add(G_GINT64_CONSTANT(1) << 60, 2, 2);
    CU_ASSERT(series.n_columns == 2);
    cmd_series_clear(&series);
}

int main(void) {
    CU_TestInfo tests[] = {
        { "few moments stay as they are", test_few_moments_stay_as_they_are },
        { "a spike is not lost", test_a_spike_is_not_lost },
        { "columns are in order and cover all", test_columns_are_in_order_and_cover_all },
        { "what is not known is no bound", test_what_is_not_known_is_no_bound },
        { "the longest time", test_the_longest_time },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "series", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
