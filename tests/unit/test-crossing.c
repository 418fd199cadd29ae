/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who crosses what, and when it is told. */
#include "allocations.h"
#include "core/amount.h"
#include "core/crossing.h"
#include "runner.h"

#include <string.h>

#define TOTAL 100000
#define SPACE 100

/* What the owner of a watch has seen. */
typedef struct Seen {
    guint n; /* notifications */
    guint32 changed;
    guint32 reached;
    guint64 value; /* of used */
} Seen;

static void on_notify(MnWatch *watch, const MnReading *reading) {
    Seen *seen = watch->owner;

    seen->n++;
    seen->changed = watch->changed;
    seen->reached = watch->reached;
    seen->value = reading->pages[MN_METER_USED];
}

static MnWatch *watch_new(const char *text, Seen *seen) {
    static const MnMachine machine = { .page_bytes = 4096, .offered = (1U << MN_N_METERS) - 1 };
    MnLimitSet set;

    memset(seen, 0, sizeof *seen);
    g_assert_cmpint(mn_limit_set_parse(text, strlen(text), &machine, NULL, &set), ==, 0);
    return mn_watch_new(&set, on_notify, seen);
}

static MnReading used(guint64 pages) {
    MnReading reading = { { 0 } };

    reading.pages[MN_METER_USED] = pages;
    reading.pages[MN_METER_TOTAL] = TOTAL;
    return reading;
}

/* With the state that it has; a new one: nothing reached. */
static void add(MnCrossing *crossing, MnWatch *watch) {
    const MnReading reading = { { 0 } };

    watch->known = G_MAXUINT32;
    mn_crossing_add(crossing, watch, &reading);
}

static guint advance(MnCrossing *crossing, guint64 pages) {
    MnReading reading = used(pages);

    return mn_crossing_advance(crossing, &reading);
}

static void set_scale(MnCrossing *crossing, guint64 total, guint64 space) {
    MnScale scale = { .total_pages = total, .space_pages = space };

    mn_crossing_set_scale(crossing, &scale);
}

static MnCrossing *crossing_new(guint64 total, guint64 space) {
    MnCrossing *crossing = mn_crossing_new();

    set_scale(crossing, total, space);
    return crossing;
}

/* One limit of `used`, and whether it is reached after each of a row of values. */
static void test_one_limit(void) {
    static const struct {
        const char *limit;
        guint64 space;
        guint n_steps;
        struct {
            guint64 pages;
            gboolean reached;
        } steps[8];
    } rows[] = {
        { "used 5000", 0, 5, { { 4999, 0 }, { 5000, 1 }, { 4999, 0 }, { 5000, 1 }, { 0, 0 } } },
        { "used 5000",
          100,
          7,
          { { 4999, 0 }, { 5000, 1 }, { 4999, 1 }, { 4900, 1 }, { 4899, 0 }, { 4999, 0 }, { 5000, 1 } } },
        { "used<5000", 0, 5, { { 5000, 0 }, { 4999, 1 }, { 5000, 0 }, { 4999, 1 }, { G_MAXUINT64, 0 } } },
        { "used<5000",
          100,
          7,
          { { 5000, 0 }, { 4999, 1 }, { 5000, 1 }, { 5099, 1 }, { 5100, 0 }, { 5000, 0 }, { 0, 1 } } },
        /* no more than half of the room */
        { "used 1", 100, 4, { { 0, 0 }, { 1, 1 }, { 0, 0 }, { 1, 1 } } },
        { "used 2", 100, 4, { { 1, 0 }, { 2, 1 }, { 1, 1 }, { 0, 0 } } },
        { "used 10", 100, 6, { { 9, 0 }, { 10, 1 }, { 5, 1 }, { 4, 0 }, { 9, 0 }, { 10, 1 } } },
        { "used<99999", 100, 4, { { 99999, 0 }, { 99998, 1 }, { 99999, 0 }, { 99998, 1 } } },
        { "used<99990", 100, 4, { { 99990, 0 }, { 99989, 1 }, { 99994, 1 }, { 99995, 0 } } },
        { "used<100000", 100, 3, { { 100000, 0 }, { 99999, 1 }, { 100000, 0 } } },
        { "used<200000", 100, 3, { { 200000, 0 }, { 199999, 1 }, { 200000, 0 } } }, /* beyond the scale */
        { "used 200000", 100, 4, { { 199999, 0 }, { 200000, 1 }, { 199900, 1 }, { 199899, 0 } } },
        /* the ends of all numbers */
        { "used<1", 100, 5, { { 1, 0 }, { 0, 1 }, { 1, 1 }, { 100, 1 }, { 101, 0 } } },
        { "used<1", 0, 5, { { 1, 0 }, { 0, 1 }, { 1, 0 }, { 0, 1 }, { G_MAXUINT64, 0 } } },
        { "used 18446744073709551615",
          100,
          4,
          { { G_MAXUINT64 - 1, 0 }, { G_MAXUINT64, 1 }, { G_MAXUINT64 - 100, 1 }, { G_MAXUINT64 - 101, 0 } } },
        { "used<18446744073709551615",
          100,
          4,
          { { G_MAXUINT64, 0 }, { G_MAXUINT64 - 1, 1 }, { G_MAXUINT64, 0 }, { 0, 1 } } },
        { "used 5000", G_MAXUINT64, 4, { { 5000, 1 }, { 2500, 1 }, { 2499, 0 }, { 5000, 1 } } },
        { "used<5000", G_MAXUINT64, 4, { { 4999, 1 }, { 52499, 1 }, { 52500, 0 }, { 4999, 1 } } },
        { "used 80%", 0, 3, { { 79999, 0 }, { 80000, 1 }, { 79999, 0 } } },
        { "used<10%", 0, 3, { { 10000, 0 }, { 9999, 1 }, { 10000, 0 } } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, rows[i].space);
        Seen seen;
        g_autoptr(MnWatch) watch = watch_new(rows[i].limit, &seen);
        guint n = 0;

        add(crossing, watch);
        for (guint step = 0; step < rows[i].n_steps; step++) {
            gboolean expected = rows[i].steps[step].reached, before = watch->reached;
            guint64 pages = rows[i].steps[step].pages;

            n += expected != before;
            CHECK(advance(crossing, pages) == (expected != before), "%s, step %u", rows[i].limit, step);
            CHECK(watch->reached == (guint32)expected, "%s, step %u", rows[i].limit, step);
            CHECK(seen.n == n, "%s, step %u", rows[i].limit, step);
        }
        CHECK(n > 1, "%s", rows[i].limit);
        mn_crossing_remove(crossing, watch);
    }
}

static void test_notify_tells_what_changed(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("free<10 used 5000 active 7", &seen);

    add(crossing, watch);
    CU_ASSERT_EQUAL(advance(crossing, 6000), 1); /* free is 0 */
    CU_ASSERT_EQUAL(seen.changed, 3);
    CU_ASSERT_EQUAL(seen.reached, 3);
    CU_ASSERT_EQUAL(seen.value, 6000);
    CU_ASSERT_EQUAL(watch->changed, 0);

    CU_ASSERT_EQUAL(advance(crossing, 4000), 1);
    CU_ASSERT_EQUAL(seen.changed, 2);
    CU_ASSERT_EQUAL(seen.reached, 1);
    mn_crossing_remove(crossing, watch);
}

static void test_several_limits_at_once_are_one_notify(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnReading reading = { { 0 } };
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 1 active 2 anon 3 file 4 total 5", &seen);

    add(crossing, watch);
    for (guint id = 0; id < MN_N_METERS; id++)
        reading.pages[id] = 1000;
    CU_ASSERT_EQUAL(mn_crossing_advance(crossing, &reading), 1);
    CU_ASSERT_EQUAL(seen.n, 1);
    CU_ASSERT_EQUAL(seen.changed, 31);

    reading.pages[MN_METER_USED] = 0;
    reading.pages[MN_METER_ACTIVE] = 0;
    CU_ASSERT_EQUAL(mn_crossing_advance(crossing, &reading), 1);
    CU_ASSERT_EQUAL(seen.n, 2);
    CU_ASSERT_EQUAL(seen.changed, 3);
    mn_crossing_remove(crossing, watch);
}

/* One on a value that has no name, as the usage of a memory cgroup. */
static void test_an_exact_limit_has_no_hysteresis(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, SPACE);
    const MnLimitSet set = {
        .n = 1,
        .limits = { { .meter = MN_METER_GROUP_USAGE, .is_exact = TRUE, .pages = 5000 } },
    };
    static const struct {
        guint64 pages;
        guint crossed;
    } rows[] = { { 4999, 0 }, { 5000, 1 }, { 5001, 0 }, { 5000, 0 },
                 { 4999, 1 }, { 5000, 1 }, { 0, 1 },    { G_MAXUINT64, 1 } };
    Seen seen = { 0 };
    g_autoptr(MnWatch) watch = mn_watch_new(&set, on_notify, &seen);

    add(crossing, watch);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnReading reading = { { 0 } };

        reading.pages[MN_METER_GROUP_USAGE] = rows[i].pages;
        CHECK(mn_crossing_advance(crossing, &reading) == rows[i].crossed, "%u", i);
        CHECK(watch->reached == (rows[i].pages >= 5000), "%u", i);
    }
    mn_crossing_remove(crossing, watch);
}

/* One limit reached and one left by the same reading. */
static void test_up_and_down_at_once_are_one_notify(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnReading reading = { { 0 } };
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 10 free 10", &seen);

    add(crossing, watch);
    reading.pages[MN_METER_USED] = 10;
    CU_ASSERT_EQUAL(mn_crossing_advance(crossing, &reading), 1);
    reading.pages[MN_METER_USED] = 0;
    reading.pages[MN_METER_FREE] = 10;
    CU_ASSERT_EQUAL(mn_crossing_advance(crossing, &reading), 1);
    CU_ASSERT_EQUAL(seen.changed, 3);
    CU_ASSERT_EQUAL(seen.reached, 2);
    mn_crossing_remove(crossing, watch);
}

static void test_only_those_who_are_concerned(void) {
    enum {
        N = 100
    };
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnWatch *watches[N];
    Seen seen[N];

    for (guint i = 0; i < N; i++) {
        g_autofree char *text = g_strdup_printf("used %u", (i * 37 % N + 1) * 10);

        watches[i] = watch_new(text, &seen[i]);
        add(crossing, watches[i]);
    }
    CU_ASSERT_EQUAL(advance(crossing, 495), 49);
    CU_ASSERT_EQUAL(advance(crossing, 499), 0);
    CU_ASSERT_EQUAL(advance(crossing, 500), 1);
    CU_ASSERT_EQUAL(advance(crossing, 5), 50);
    for (guint i = 0; i < N; i++)
        CHECK(seen[i].n == (i * 37 % N < 50 ? 2 : 0), "watch %u", i);

    for (guint i = 0; i < N; i++) {
        mn_crossing_remove(crossing, watches[i]);
        mn_watch_free(watches[i]);
    }
    CU_ASSERT_TRUE(mn_crossing_is_empty(crossing));
}

static void test_equal_limits(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    Seen a_seen, b_seen, c_seen;
    g_autoptr(MnWatch) a = watch_new("used 10", &a_seen);
    g_autoptr(MnWatch) b = watch_new("used 10", &b_seen);
    g_autoptr(MnWatch) c = watch_new("used 10", &c_seen);

    add(crossing, a);
    add(crossing, b);
    add(crossing, c);
    CU_ASSERT_EQUAL(advance(crossing, 10), 3);
    mn_crossing_remove(crossing, b);
    CU_ASSERT_EQUAL(advance(crossing, 0), 2);
    CU_ASSERT_EQUAL(a_seen.n, 2);
    CU_ASSERT_EQUAL(b_seen.n, 1);
    CU_ASSERT_EQUAL(c_seen.n, 2);
    mn_crossing_remove(crossing, a);
    mn_crossing_remove(crossing, c);
}

static void test_settled_is_silent(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnReading reading = used(6000);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 5000 active 1 free<7", &seen);

    mn_crossing_add(crossing, watch, &reading);
    CU_ASSERT_EQUAL(watch->reached, 5);
    CU_ASSERT_EQUAL(advance(crossing, 6000), 0);
    CU_ASSERT_EQUAL(seen.n, 0);
    CU_ASSERT_EQUAL(advance(crossing, 4000), 1);
    CU_ASSERT_EQUAL(seen.changed, 1);
    mn_crossing_remove(crossing, watch);
}

static void test_a_watch_keeps_its_state_while_it_is_not_indexed(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, SPACE);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 5000", &seen);

    add(crossing, watch);
    advance(crossing, 5000);
    mn_crossing_remove(crossing, watch);
    CU_ASSERT_EQUAL(advance(crossing, 0), 0);
    CU_ASSERT_EQUAL(watch->reached, 1);

    add(crossing, watch);
    CU_ASSERT_EQUAL(advance(crossing, 4950), 0); /* within the hysteresis of its old state */
    CU_ASSERT_EQUAL(advance(crossing, 0), 1);
    CU_ASSERT_EQUAL(watch->reached, 0);
    mn_crossing_remove(crossing, watch);
    mn_crossing_remove(crossing, watch); /* has no effect */
}

static void test_a_watch_without_limits(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("", &seen);

    add(crossing, watch);
    CU_ASSERT_TRUE(mn_crossing_is_empty(crossing));
    CU_ASSERT_EQUAL(advance(crossing, 6000), 0);
    mn_crossing_remove(crossing, watch);
}

static void test_percent_follow_total(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(1000, 0);
    Seen percent_seen, pages_seen;
    g_autoptr(MnWatch) percent = watch_new("used 80%", &percent_seen);
    g_autoptr(MnWatch) pages = watch_new("used 800", &pages_seen);

    add(crossing, percent);
    add(crossing, pages);
    CU_ASSERT_EQUAL(advance(crossing, 900), 2);
    CU_ASSERT_EQUAL(percent->edges[0].enter_pages, 800);

    set_scale(crossing, 2000, 0); /* swapon */
    CU_ASSERT_EQUAL(percent->edges[0].enter_pages, 1600);
    CU_ASSERT_EQUAL(percent->reached, 1); /* until the next reading */
    CU_ASSERT_EQUAL(advance(crossing, 900), 1);
    CU_ASSERT_EQUAL(percent->reached, 0);
    CU_ASSERT_EQUAL(pages->reached, 1);

    set_scale(crossing, 1000, 0); /* swapoff */
    CU_ASSERT_EQUAL(advance(crossing, 900), 1);
    CU_ASSERT_EQUAL(percent->reached, 1);
    CU_ASSERT_EQUAL(pages_seen.n, 1);
    mn_crossing_remove(crossing, percent);
    mn_crossing_remove(crossing, pages);
}

/* Limits of different kinds change places when total changes. */
static void test_the_order_is_kept_by_a_new_scale(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(1000, 0);
    Seen percent_seen, pages_seen;
    g_autoptr(MnWatch) percent = watch_new("used 50%", &percent_seen);
    g_autoptr(MnWatch) pages = watch_new("used 700", &pages_seen);
    MnReading nothing = used(0);

    add(crossing, percent);
    add(crossing, pages);
    CU_ASSERT_EQUAL(mn_crossing_distance(crossing, &nothing), 500);
    set_scale(crossing, 2000, 0);
    CU_ASSERT_EQUAL(mn_crossing_distance(crossing, &nothing), 700);
    CU_ASSERT_EQUAL(advance(crossing, 700), 1);
    CU_ASSERT_EQUAL(pages_seen.n, 1);
    CU_ASSERT_EQUAL(percent_seen.n, 0);
    mn_crossing_remove(crossing, percent);
    mn_crossing_remove(crossing, pages);
}

static void test_a_new_hysteresis(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 5000", &seen);

    add(crossing, watch);
    advance(crossing, 5000);
    set_scale(crossing, TOTAL, 1000);
    CU_ASSERT_EQUAL(advance(crossing, 4000), 0);
    set_scale(crossing, TOTAL, 10);
    CU_ASSERT_EQUAL(advance(crossing, 4000), 1);
    mn_crossing_remove(crossing, watch);
}

/* With swap, the scale of a meter ends before total does. */
static void test_a_limit_near_the_end_of_its_meter_can_be_left(void) {
    static const MnScale scale = { .total_pages = 100000, .swap_pages = 1000, .space_pages = 781 };
    static const struct {
        const char *limit;
        MnMeterId meter;
        guint64 enters, stays, leaves;
    } rows[] = {
        { "swap_free<900", MN_METER_SWAP_FREE, 899, 949, 950 },
        { "swap_free<999", MN_METER_SWAP_FREE, 998, 998, 999 },
        { "swap_free<1000", MN_METER_SWAP_FREE, 999, 999, 1000 },
        { "swap_free<10", MN_METER_SWAP_FREE, 9, 504, 505 },
        { "swap_used<900", MN_METER_SWAP_USED, 899, 949, 950 },
        { "free<98900", MN_METER_FREE, 98899, 98949, 98950 },
        { "available<98900", MN_METER_AVAILABLE, 98899, 98949, 98950 },
        { "available<5000", MN_METER_AVAILABLE, 4999, 5780, 5781 },
        { "used<99900", MN_METER_USED, 99899, 99949, 99950 },
        { "swap_used 900", MN_METER_SWAP_USED, 900, 450, 449 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnCrossing) crossing = mn_crossing_new();
        MnReading reading = { { 0 } };
        Seen seen;
        g_autoptr(MnWatch) watch = watch_new(rows[i].limit, &seen);

        mn_crossing_set_scale(crossing, &scale);
        add(crossing, watch);
        reading.pages[rows[i].meter] = rows[i].enters;
        CHECK(mn_crossing_advance(crossing, &reading) == 1, "%s", rows[i].limit);
        reading.pages[rows[i].meter] = rows[i].stays;
        CHECK(mn_crossing_advance(crossing, &reading) == 0, "%s", rows[i].limit);
        reading.pages[rows[i].meter] = rows[i].leaves;
        CHECK(mn_crossing_advance(crossing, &reading) == 1, "%s", rows[i].limit);
        mn_crossing_remove(crossing, watch);
    }
}

static void test_distance(void) {
    static const struct {
        const char *limits;
        guint64 pages, expected;
    } rows[] = {
        { "used 5000", 1000, 4000 },
        { "used 5000", 4999, 1 },
        { "used 5000", 5000, G_MAXUINT64 }, /* reached */
        { "used<1000", 5000, 4001 },
        { "used<1000", 1000, 1 },
        { "used<1000", 999, G_MAXUINT64 },
        { "used<1", 7, 7 },
        { "used 18446744073709551615", 0, G_MAXUINT64 },
        { "used 5000 active 100", 1000, 100 },
        { "used 5000 active 100", 4990, 10 },
        { "used 5000 free<10", 1000, 4000 }, /* free is 0, so that one is reached */
        { "", 0, G_MAXUINT64 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
        MnReading reading = used(rows[i].pages);
        Seen seen;
        g_autoptr(MnWatch) watch = watch_new(rows[i].limits, &seen);

        add(crossing, watch);
        mn_crossing_advance(crossing, &reading);
        CHECK(mn_crossing_distance(crossing, &reading) == rows[i].expected, "%s at %" G_GUINT64_FORMAT, rows[i].limits,
              rows[i].pages);
        mn_crossing_remove(crossing, watch);
    }
}

/* Before the crossing is told of a reading that is beyond a limit, the limit is very near. */
static void test_approach(void) {
    static const struct {
        const char *limits;
        guint64 used_from, used_to, free_from, free_to, expected;
    } rows[] = {
        { "used 5000", 100, 400, 0, 0, 300 },
        { "used 5000", 400, 100, 0, 0, 0 },
        { "used 5000", 4000, 6000, 0, 0, 2000 }, /* beyond the limit as well */
        { "used<5000", 9000, 8000, 0, 0, 1000 },
        { "used<5000", 8000, 9000, 0, 0, 0 },
        { "used 5000", 100, 100, 900, 100, 0 }, /* no limit there */
        { "used 5000 free<50", 100, 400, 900, 100, 800 },
        { "", 100, 400, 900, 100, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
        Seen seen = { 0 };
        g_autoptr(MnWatch) watch = watch_new(rows[i].limits, &seen);
        MnReading from = { 0 }, to = { 0 };

        from.pages[MN_METER_USED] = rows[i].used_from;
        from.pages[MN_METER_FREE] = rows[i].free_from;
        to.pages[MN_METER_USED] = rows[i].used_to;
        to.pages[MN_METER_FREE] = rows[i].free_to;
        mn_crossing_add(crossing, watch, &from);
        CHECK(mn_crossing_approach(crossing, &from, &to) == rows[i].expected, "row %u: %s", i, rows[i].limits);
        mn_crossing_remove(crossing, watch);
    }
}

static void test_the_distance_is_at_least_1(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnReading beyond = used(6000);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 5000", &seen);

    add(crossing, watch);
    CU_ASSERT_EQUAL(mn_crossing_distance(crossing, &beyond), 1);
    mn_crossing_remove(crossing, watch);
}

static void test_what_is_asked_about_the_whole(void) {
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    Seen seen;
    g_autoptr(MnWatch) watch = watch_new("used 5000 swap_free<7", &seen);

    CU_ASSERT_TRUE(mn_crossing_is_empty(crossing));
    CU_ASSERT_FALSE(mn_crossing_is_reached(crossing));
    add(crossing, watch);
    CU_ASSERT_FALSE(mn_crossing_is_empty(crossing));
    CU_ASSERT_FALSE(mn_crossing_is_reached(crossing));
    CU_ASSERT_EQUAL(mn_crossing_meters(crossing), MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_SWAP_FREE));
    advance(crossing, 0);
    CU_ASSERT_TRUE(mn_crossing_is_reached(crossing));
    CU_ASSERT_EQUAL(mn_crossing_meters(crossing), MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_SWAP_FREE));
    mn_crossing_remove(crossing, watch);
    CU_ASSERT_TRUE(mn_crossing_is_empty(crossing));
    CU_ASSERT_FALSE(mn_crossing_is_reached(crossing));
}

static void test_advance_allocates_nothing(void) {
    enum {
        N = 1000
    };
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, SPACE);
    MnWatch *watches[N];
    Seen seen[N];
    guint64 before;
    guint n = 0;

    before = allocations();
    for (guint i = 0; i < N; i++) {
        g_autofree char *text = g_strdup_printf("used %u active<%u", i * 10 + 1, i + 1);

        watches[i] = watch_new(text, &seen[i]);
        add(crossing, watches[i]);
    }
    CU_ASSERT_TRUE(allocations() > before + 2 * N); /* it does count */

    before = allocations();
    for (guint i = 0; i < 100; i++)
        n += advance(crossing, i * 7919 % 12000);
    CU_ASSERT_TRUE(n > N);
    CU_ASSERT_EQUAL(allocations(), before);

    for (guint i = 0; i < N; i++) {
        mn_crossing_remove(crossing, watches[i]);
        mn_watch_free(watches[i]);
    }
}

/* The model: every limit by itself, in numbers that do not overflow. */

#define N_WATCHES 500
#define N_STEPS 100000

typedef struct Model {
    MnWatch *watch;
    MnLimitSet set;
    gboolean is_indexed;
    guint32 reached;
    guint n_expected;
    Seen seen;
} Model;

typedef struct World {
    GRand *random;
    MnCrossing *crossing;
    MnReading reading;
    MnScale scale;
    Model models[N_WATCHES];
} World;

static guint64 random_pages(World *self) {
    switch (g_rand_int_range(self->random, 0, 40)) {
    case 0:
        return g_rand_int_range(self->random, 0, 3);
    case 1:
        return G_MAXUINT64 - g_rand_int_range(self->random, 0, 3);
    case 2:
        return self->scale.total_pages;
    default:
        return g_rand_int_range(self->random, 0, 20000);
    }
}

static MnLimitSet random_set(World *self) {
    MnLimitSet set = { 0 };

    for (guint id = 0; id < 4; id++) {
        MnLimit limit = { .meter = id, .op = g_rand_boolean(self->random) };

        if (g_rand_boolean(self->random))
            continue;
        if (g_rand_boolean(self->random))
            limit.micropercent = g_rand_int_range(self->random, 1, 100 * MN_MICROPERCENT + 1);
        else
            limit.pages = random_pages(self);
        if (limit.micropercent == 0 && limit.pages == 0) /* not tracked */
            continue;
        set.limits[set.n++] = limit;
    }
    return set;
}

static gboolean model_reached(const World *self, const MnLimit *limit, gboolean reached) {
    __extension__ typedef unsigned __int128 Wide;
    Wide value = self->reading.pages[limit->meter], total = self->scale.total_pages;
    gboolean is_memory = limit->meter == MN_METER_ACTIVE || limit->meter == MN_METER_FREE;
    Wide ceiling = is_memory ? total - MIN(total, self->scale.swap_pages) : total;
    Wide all = 100 * MN_MICROPERCENT;
    Wide enter = limit->micropercent > 0 ? (total * limit->micropercent + all - 1) / all : limit->pages;
    Wide room = limit->op == MN_OP_AT_LEAST ? enter : ceiling > enter ? ceiling - enter : 0;
    Wide space = MIN((Wide)self->scale.space_pages, room / 2);

    if (limit->op == MN_OP_AT_LEAST)
        return reached ? value + space >= enter : value >= enter;
    return reached ? value < enter + space : value < enter;
}

/* How far the nearest limit that is not reached is. */
static guint64 model_distance(const World *self) {
    guint64 distance = G_MAXUINT64;

    for (guint i = 0; i < N_WATCHES; i++)
        for (guint j = 0; self->models[i].is_indexed && j < self->models[i].set.n; j++) {
            const MnLimit *limit = &self->models[i].set.limits[j];
            guint64 value = self->reading.pages[limit->meter];
            guint64 enter = mn_limit_pages(limit, self->scale.total_pages);

            if (self->models[i].reached & (1U << j))
                continue;
            distance = MIN(distance, limit->op == MN_OP_AT_LEAST ? enter - value : value - enter + 1);
        }
    return distance;
}

static void move_reading(World *self) {
    for (guint id = 0; id < 4; id++) {
        guint64 *pages = &self->reading.pages[id];

        if (g_rand_int_range(self->random, 0, 50) == 0)
            *pages = random_pages(self);
        else
            *pages = (*pages + g_rand_int_range(self->random, 0, 201) - 100) % 20001;
    }
    if (g_rand_int_range(self->random, 0, 500) == 0)
        self->scale.total_pages = g_rand_int_range(self->random, 1, 20000);
    if (g_rand_int_range(self->random, 0, 500) == 0)
        self->scale.swap_pages = g_rand_int_range(self->random, 0, 10000);
    if (g_rand_int_range(self->random, 0, 500) == 0)
        self->scale.space_pages = g_rand_int_range(self->random, 0, 300);
}

static void come_and_go(World *self) {
    Model *model = &self->models[g_rand_int_range(self->random, 0, N_WATCHES)];

    if (model->is_indexed && g_rand_boolean(self->random)) {
        mn_crossing_remove(self->crossing, model->watch);
        model->is_indexed = FALSE;
        return;
    }
    if (!model->is_indexed && g_rand_boolean(self->random)) { /* as it was */
        add(self->crossing, model->watch);
        model->is_indexed = TRUE;
        return;
    }

    mn_crossing_remove(self->crossing, model->watch);
    mn_watch_free(model->watch);
    model->set = random_set(self);
    model->watch = mn_watch_new(&model->set, on_notify, &model->seen);
    model->reached = 0;
    model->watch->known = 0;
    mn_crossing_add(self->crossing, model->watch, &self->reading);
    mn_crossing_remove(self->crossing, model->watch);
    for (guint i = 0; i < model->set.n; i++)
        if (model_reached(self, &model->set.limits[i], FALSE))
            model->reached |= 1U << i;
    if (model->watch->reached != model->reached)
        CU_FAIL("settling differs from the model");
    add(self->crossing, model->watch);
    model->is_indexed = TRUE;
}

/* FALSE when the crossing and the model differ. */
static gboolean step(World *self, guint *n_notified) {
    gboolean is_reached = FALSE, same = TRUE;
    guint n, n_expected = 0;

    mn_crossing_set_scale(self->crossing, &self->scale);
    n = mn_crossing_advance(self->crossing, &self->reading);

    for (guint i = 0; i < N_WATCHES; i++) {
        Model *model = &self->models[i];
        guint32 reached = 0;

        if (!model->is_indexed)
            continue;
        for (guint j = 0; j < model->set.n; j++)
            if (model_reached(self, &model->set.limits[j], (model->reached >> j) & 1))
                reached |= 1U << j;
        if (reached != model->reached) {
            n_expected++;
            model->n_expected++;
            same = same && model->seen.changed == (reached ^ model->reached);
        }
        model->reached = reached;
        is_reached = is_reached || reached != 0;
        same = same && model->watch->reached == reached && model->seen.n == model->n_expected;
    }
    *n_notified += n;
    return same && n == n_expected && mn_crossing_is_reached(self->crossing) == is_reached;
}

static void run_model(guint32 seed) {
    World *world = g_new0(World, 1);
    guint n_notified = 0, i;

    world->random = g_rand_new_with_seed(seed);
    world->crossing = mn_crossing_new();
    world->scale.total_pages = 10000;
    mn_crossing_set_scale(world->crossing, &world->scale);
    for (i = 0; i < N_WATCHES; i++)
        world->models[i].watch = mn_watch_new(&world->models[i].set, on_notify, &world->models[i].seen);

    for (i = 0; i < N_STEPS; i++) {
        move_reading(world);
        if (!step(world, &n_notified))
            break;
        if (i % 100 == 0 && mn_crossing_distance(world->crossing, &world->reading) != model_distance(world))
            break;
        come_and_go(world);
    }
    CHECK(i == N_STEPS, "seed %u, step %u", seed, i);
    CHECK(n_notified > N_STEPS, "seed %u", seed);

    for (i = 0; i < N_WATCHES; i++) {
        mn_crossing_remove(world->crossing, world->models[i].watch);
        mn_watch_free(world->models[i].watch);
    }
    mn_crossing_free(world->crossing);
    g_rand_free(world->random);
    g_free(world);
}

static void test_against_a_model(void) {
    run_model(2012);
}

static void on_notify_in_order(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    g_string_append_printf(watch->owner, "%" G_GUINT64_FORMAT " ", watch->edges[0].enter_pages);
}

static void test_limits_are_told_in_the_order_of_crossing(void) {
    static const guint64 limits[] = { 300, 100, 200 };
    g_autoptr(GString) told = g_string_new(NULL);
    g_autoptr(MnCrossing) crossing = crossing_new(TOTAL, 0);
    MnWatch *watches[G_N_ELEMENTS(limits)];

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        MnLimitSet set = { .n = 1, .limits = { { .meter = MN_METER_USED, .pages = limits[i] } } };

        watches[i] = mn_watch_new(&set, on_notify_in_order, told);
        add(crossing, watches[i]);
    }

    advance(crossing, 1000);
    advance(crossing, 0);
    CU_ASSERT_STRING_EQUAL(told->str, "100 200 300 300 200 100 ");

    for (guint i = 0; i < G_N_ELEMENTS(limits); i++) {
        mn_crossing_remove(crossing, watches[i]);
        mn_watch_free(watches[i]);
    }
}

static CU_TestInfo tests[] = {
    { "limits are told in the order in which they are crossed", test_limits_are_told_in_the_order_of_crossing },
    { "one limit, reached and left", test_one_limit },
    { "notify tells what changed", test_notify_tells_what_changed },
    { "several limits at once are one notify", test_several_limits_at_once_are_one_notify },
    { "an exact limit has no hysteresis", test_an_exact_limit_has_no_hysteresis },
    { "up and down at once are one notify", test_up_and_down_at_once_are_one_notify },
    { "only those who are concerned are told", test_only_those_who_are_concerned },
    { "equal limits of several watches", test_equal_limits },
    { "what is reached already when a watch is added is silent", test_settled_is_silent },
    { "a watch keeps its state while it is not indexed", test_a_watch_keeps_its_state_while_it_is_not_indexed },
    { "a watch without limits", test_a_watch_without_limits },
    { "per cent follow total", test_percent_follow_total },
    { "a new scale keeps the order", test_the_order_is_kept_by_a_new_scale },
    { "a new hysteresis", test_a_new_hysteresis },
    { "a limit near the end of its meter can be left", test_a_limit_near_the_end_of_its_meter_can_be_left },
    { "the distance to the nearest limit", test_distance },
    { "the approach to limits", test_approach },
    { "the distance is at least 1", test_the_distance_is_at_least_1 },
    { "what is asked about the whole", test_what_is_asked_about_the_whole },
    { "advance allocates nothing", test_advance_allocates_nothing },
    { "100,000 steps of 500 watches against a model", test_against_a_model },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "crossing", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
