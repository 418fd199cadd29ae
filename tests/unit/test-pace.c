/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When to sample next, without a clock. */
#include "core/pace.h"
#include "runner.h"

#define FAR G_MAXUINT64

static const MnFill nothing_seen;

typedef struct Row {
    const char *name;
    guint64 distance_pages;
    gboolean is_reached;
    gboolean has_moved;
    guint64 period_ms;
    guint64 fill_rate_mib;
    guint64 update_period_ms;
    guint64 max_update_period_ms;
    guint64 expected_ms;
} Row;

static void check_rows(const Row *rows, gsize n_rows, guint page_bytes) {
    for (gsize i = 0; i < n_rows; i++) {
        const Row *row = &rows[i];
        MnPace pace = { .distance_pages = row->distance_pages,
                        .page_bytes = page_bytes,
                        .fill = &nothing_seen,
                        .is_reached = row->is_reached,
                        .has_moved = row->has_moved,
                        .period_ms = row->period_ms };
        MnParameters parameters = { .update_period_ms = row->update_period_ms,
                                    .max_update_period_ms = row->max_update_period_ms,
                                    .fill_rate_mib = row->fill_rate_mib };
        guint64 next_ms = mn_pace_next_ms(&pace, &parameters);

        CHECK(next_ms == row->expected_ms, "%s: %" G_GUINT64_FORMAT, row->name, next_ms);
    }
}

/* 1 MiB/s is 256 pages a second. */
static void test_fill_rate(void) {
    static const Row rows[] = {
        { "1 MiB at 1 MiB/s", 256, FALSE, FALSE, 0, 1, 10, 15000, 1000 },
        { "rounded down", 257, FALSE, FALSE, 0, 1, 10, 15000, 1003 },
        { "8 GiB/s, 1 GiB away", 262144, FALSE, FALSE, 0, 8192, 10, 15000, 125 },
        { "8 GiB/s, 12 GiB away", 3145728, FALSE, FALSE, 0, 8192, 10, 15000, 1500 },
        { "not below update_period", 1, FALSE, FALSE, 0, 8192, 10, 15000, 10 },
        { "no distance", 0, FALSE, FALSE, 0, 8192, 10, 15000, 10 },
        { "exactly update_period", 20972, FALSE, FALSE, 0, 8192, 10, 15000, 10 },
        { "just above update_period", 23069, FALSE, FALSE, 0, 8192, 10, 15000, 11 },
        { "not above max_update_period", 1000000, FALSE, FALSE, 0, 1, 10, 15000, 15000 },
        { "no limit", FAR, FALSE, FALSE, 0, 8192, 10, 15000, 15000 },
        { "the period before does not matter", 256, FALSE, FALSE, 8000, 1, 10, 15000, 1000 },
        { "nor does movement", 256, FALSE, TRUE, 8000, 1, 10, 15000, 1000 },
        { "max below update_period is raised to it", FAR, FALSE, FALSE, 0, 8192, 500, 100, 500 },
        { "both the same", 256, FALSE, FALSE, 0, 1, 100, 100, 100 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 4096);
}

static void test_reached(void) {
    static const Row rows[] = {
        { "far", FAR, TRUE, FALSE, 0, 8192, 10, 15000, 250 },
        { "1 s away", 256, TRUE, FALSE, 0, 1, 10, 15000, 250 },
        { "nearer than that", 25, TRUE, FALSE, 0, 1, 10, 15000, 97 },
        { "very near", 1, TRUE, FALSE, 0, 8192, 10, 15000, 10 },
        { "update_period wins", FAR, TRUE, FALSE, 0, 8192, 1000, 15000, 1000 },
        { "max_update_period wins", FAR, TRUE, FALSE, 0, 8192, 10, 100, 100 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 4096);
}

static void test_back_off(void) {
    static const Row rows[] = {
        { "the first", FAR, FALSE, FALSE, 0, 0, 250, 15000, 250 },
        { "doubled", FAR, FALSE, FALSE, 250, 0, 250, 15000, 500 },
        { "doubled again", FAR, FALSE, FALSE, 500, 0, 250, 15000, 1000 },
        { "up to the longest", FAR, FALSE, FALSE, 8000, 0, 250, 15000, 15000 },
        { "and no further", FAR, FALSE, FALSE, 15000, 0, 250, 15000, 15000 },
        { "moved", FAR, FALSE, TRUE, 8000, 0, 250, 15000, 250 },
        { "distance does not matter", 1, FALSE, FALSE, 500, 0, 250, 15000, 1000 },
        { "nor does a reached limit", 1, TRUE, FALSE, 4000, 0, 250, 15000, 8000 },
        { "no back-off when max is the smaller", FAR, FALSE, FALSE, 250, 0, 250, 100, 250 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 4096);
}

/* The driver's own sequence: samples at 250, 750, 1750, 3750, 7750, 15750, 30750, 45750 ms. */
static void test_the_drivers_sequence(void) {
    static const guint64 expected_ms[] = { 250, 750, 1750, 3750, 7750, 15750, 30750, 45750 };
    MnParameters parameters = { .update_period_ms = 250, .max_update_period_ms = 15000 };
    MnPace pace = { .distance_pages = FAR, .page_bytes = 4096, .fill = &nothing_seen };
    guint64 now_ms = 0;

    for (guint i = 0; i < G_N_ELEMENTS(expected_ms); i++) {
        pace.period_ms = mn_pace_next_ms(&pace, &parameters);
        now_ms += pace.period_ms;
        CHECK(now_ms == expected_ms[i], "sample %u", i);
    }
}

static void test_extremes(void) {
    static const guint64 rate_max = 1 << 30, day_ms = 86400000;
    const Row rows[] = {
        { "farthest, slowest", FAR - 1, FALSE, FALSE, 0, 1, 1, day_ms, day_ms },
        { "farthest, fastest", FAR - 1, FALSE, FALSE, 0, rate_max, 1, day_ms, day_ms },
        { "the product just fits", FAR / 1000 - 1, FALSE, FALSE, 0, rate_max, 1, day_ms, 67108863 },
        { "and just does not", FAR / 1000 + 1, FALSE, FALSE, 0, rate_max, 1, day_ms, day_ms },
        { "fastest and near", 1, FALSE, FALSE, 0, rate_max, 1, day_ms, 1 },
        { "doubling a day", FAR, FALSE, FALSE, day_ms, 0, 1, day_ms, day_ms },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 4096);
}

static void test_larger_pages(void) {
    static const Row rows[] = {
        { "16 pages of 64 KiB are 1 MiB", 16, FALSE, FALSE, 0, 1, 10, 15000, 1000 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 65536);
}

/* What was seen counts when it is faster than what is assumed. */
static void test_what_was_seen(void) {
    static const struct {
        const char *name;
        guint64 distance_pages, fastest, fastest_before, fill_rate_mib, expected_ms;
    } rows[] = {
        { "slower: no matter", 256000, 100000, 0, 1000, 1000 },
        { "faster, and a quarter more", 256000, 1024000, 0, 1000, 200 },
        { "in the time before", 256000, 0, 1024000, 1000, 200 },
        { "the faster of both", 256000, 512000, 1024000, 1000, 200 },
        { "absurdly fast", 256000, FAR, 0, 1000, 10 },
        { "no matter for the driver's policy", 256000, FAR, 0, 0, 200 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnFill fill = { .fastest = rows[i].fastest, .fastest_before = rows[i].fastest_before };
        MnPace pace = { .distance_pages = rows[i].distance_pages, .page_bytes = 4096, .fill = &fill, .period_ms = 100 };
        MnParameters parameters = { .update_period_ms = 10,
                                    .max_update_period_ms = 15000,
                                    .fill_rate_mib = rows[i].fill_rate_mib };

        CHECK(mn_pace_next_ms(&pace, &parameters) == rows[i].expected_ms, "%s", rows[i].name);
    }
}

/* It waits for the moment at which the limit will be reached, where that lies less than one
 * update_period behind what it would wait otherwise, but for half of one at least. */
static void test_arrival(void) {
    static const struct {
        const char *name;
        guint64 distance_pages, latest, update_period_ms, expected_ms;
    } rows[] = {
        { "not filling up", 1200, 0, 10, 10 },
        { "at once: half a period", 1, 100000, 10, 5 },
        { "in 3.9 ms", 399, 100000, 10, 5 },
        { "in 4 ms, and one for what is rounded off", 400, 100000, 10, 5 },
        { "in 8 ms, and an eighth", 800, 100000, 10, 10 },
        { "in 12.9 ms", 1299, 100000, 10, 14 },
        { "in 13 ms", 1300, 100000, 10, 10 },
        { "in 19 ms", 1900, 100000, 10, 10 },
        { "in 1.3 s of 1", 130000, 100000, 1000, 1463 },
        { "half of the shortest period is none", 10, 100000, 1, 1 },
        { "farther, at a lower speed: a look in between", 262144, 1900000, 10, 125 },
        { "farther, at the highest", 262144, 2097152, 10, 125 },
        { "farther, at more than that", 262144, 4194304, 10, 70 },
        { "farther, at a little more", 262144, 2310000, 10, 128 },
        { "no limit", FAR, 100000, 10, 15000 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnFill fill = { .latest = rows[i].latest };
        MnPace pace = { .distance_pages = rows[i].distance_pages, .page_bytes = 4096, .fill = &fill };
        MnParameters parameters = { .update_period_ms = rows[i].update_period_ms,
                                    .max_update_period_ms = 15000,
                                    .fill_rate_mib = 8192 };
        guint64 next_ms = mn_pace_next_ms(&pace, &parameters);

        CHECK(next_ms == rows[i].expected_ms, "%s: %" G_GUINT64_FORMAT, rows[i].name, next_ms);
    }
}

static CU_TestInfo tests[] = {
    { "the time in which memory could fill up", test_fill_rate },
    { "at most 250 ms while a limit is reached", test_reached },
    { "without a fill rate it backs off by doubling", test_back_off },
    { "the driver's sequence", test_the_drivers_sequence },
    { "extremes do not overflow", test_extremes },
    { "larger pages", test_larger_pages },
    { "what was seen is assumed too", test_what_was_seen },
    { "the moment of arrival", test_arrival },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "pace", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
