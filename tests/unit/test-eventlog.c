/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of crossings and its readers. */
#include "allocations.h"
#include "runner.h"
#include "thresholds/eventlog.h"

#include <string.h>

#define N_KEPT MN_EVENT_LOG_LINES
#define N_USERS (MN_EVENT_LOG_LINES_OF_ALL / N_KEPT) /* who have room for that */
#define N_EVENTS_MAX 250000

static const MnEvent crossing = { .limit_pages = 7 };

/* The log, and what it should have: event n of all is number `numbers[n]` of user `users[n]`. */
typedef struct Fixture {
    MnEventLog *log;
    guint64 n;
    guint users[N_EVENTS_MAX];
    guint64 numbers[N_EVENTS_MAX];
    guint64 n_of[4096];    /* how many events a user has had */
    guint64 lost_of[4096]; /* how many of them he cannot have any more */
    guint kept_of[4096];   /* how many can be kept of him */
} Fixture;

static Fixture fixture;

static void set_up(void) {
    memset(&fixture, 0, sizeof fixture);
    fixture.log = mn_event_log_new();
    mn_event_log_begin(fixture.log);
}

static void tear_down(void) {
    mn_event_log_free(fixture.log);
}

static void add_limits(guint user, gint n, guint kept) {
    mn_event_log_add_limits(fixture.log, user, n);
    fixture.kept_of[user] = kept;
}

static void append(guint user, guint64 n) {
    for (; n > 0; n--) {
        MnEvent event = crossing;

        event.time_us = event.value_pages = fixture.n;
        mn_event_log_append(fixture.log, user, &event, "low");

        g_assert_cmpuint(fixture.n, <, N_EVENTS_MAX);
        fixture.users[fixture.n] = user;
        fixture.numbers[fixture.n++] = fixture.n_of[user]++;
        if (fixture.n_of[user] - fixture.lost_of[user] > fixture.kept_of[user])
            fixture.lost_of[user]++;
    }
}

/* Nothing of him is kept any more. */
static void forget(guint user) {
    fixture.lost_of[user] = fixture.n_of[user];
}

static gboolean check_next(guint64 *cursor, const char *expected) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX] = "";
    gsize len = mn_event_log_next(fixture.log, cursor, line);
    gboolean is_right = len == strlen(expected) && strcmp(line, expected) == 0;

    CHECK(is_right, "%s instead of %s", line, expected);
    return is_right;
}

static gboolean check_lost(guint64 *cursor, guint64 lost, guint64 time_us) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];

    g_snprintf(line, sizeof line, "0.%06u - - lost %u\n", (guint)time_us, (guint)lost);
    return check_next(cursor, line);
}

/* What the reader gets from here to the end, or to the first line that is wrong: how many lines. */
static guint check_rest(guint64 *cursor) {
    gboolean is_right = TRUE;
    guint64 lost = 0;
    guint n = 0;

    for (guint64 i = *cursor; i < fixture.n && is_right; i++) {
        char line[MEMNOTIFYFS_EVENT_LINE_MAX];

        if (fixture.numbers[i] < fixture.lost_of[fixture.users[i]]) {
            lost++;
            continue;
        }
        is_right = lost == 0 || check_lost(cursor, lost, i);
        g_snprintf(line, sizeof line, "0.%06u low used left %u 7\n", (guint)i, (guint)i);
        is_right = is_right && check_next(cursor, line);
        lost = 0;
        n++;
    }
    if (is_right && lost > 0)
        check_lost(cursor, lost, fixture.n - 1);
    if (is_right)
        check_next(cursor, "");
    CU_ASSERT_EQUAL(*cursor, mn_event_log_get_end(fixture.log));
    return n;
}

static guint check_all(void) {
    guint64 cursor = 0;

    return check_rest(&cursor);
}

static void test_a_reader_sees_what_comes_after_it(void) {
    guint64 cursor;

    add_limits(1, 1, N_KEPT);
    append(1, 3);
    cursor = mn_event_log_get_end(fixture.log);
    check_next(&cursor, "");
    append(1, 1);
    check_next(&cursor, "0.000003 low used left 3 7\n");
    check_next(&cursor, "");
}

static void test_readers_are_independent(void) {
    guint64 one = 0;

    add_limits(1, 1, N_KEPT);
    append(1, 2);
    CU_ASSERT_EQUAL(check_rest(&one), 2);
    CU_ASSERT_EQUAL(check_all(), 2);
}

static void test_a_full_log_loses_nothing(void) {
    add_limits(1, 1, N_KEPT);
    append(1, N_KEPT);
    CU_ASSERT_EQUAL(check_all(), N_KEPT);
}

static void test_a_slow_reader_is_told_how_much_it_lost(void) {
    guint64 cursor = 0;

    add_limits(1, 1, N_KEPT);
    append(1, N_KEPT + 17);
    check_next(&cursor, "0.000017 - - lost 17\n");
    CU_ASSERT_EQUAL(check_rest(&cursor), N_KEPT);
}

static void test_losing_again_while_reading(void) {
    guint64 cursor = 0;

    add_limits(1, 1, N_KEPT);
    append(1, N_KEPT + 1);
    check_next(&cursor, "0.000001 - - lost 1\n");
    append(1, 2);
    check_next(&cursor, "0.000003 - - lost 2\n");
    check_next(&cursor, "0.000003 low used left 3 7\n");
}

static void test_a_flood_pushes_out_nobody_elses(void) {
    guint64 cursor = 0;

    add_limits(1, 1, N_KEPT);
    add_limits(2, 1, N_KEPT);
    for (guint i = 0; i < N_KEPT; i++) {
        append(1, 1);
        append(2, 10);
    }
    check_next(&cursor, "0.000000 low used left 0 7\n");
    check_next(&cursor, "0.000011 - - lost 10\n");
    check_next(&cursor, "0.000011 low used left 11 7\n");
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);
    append(2, 10000);
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);
}

/* What all limits make in two samples. */
static void test_many_limits_have_room(void) {
    add_limits(1, 600, 1200);
    append(1, 1200);
    CU_ASSERT_EQUAL(check_all(), 1200);
    append(1, 5000);
    CU_ASSERT_EQUAL(check_all(), 1200);
}

static void test_room_that_grows_keeps_lines_and_order(void) {
    add_limits(1, 1, N_KEPT);
    add_limits(2, 1, N_KEPT);
    for (guint i = 0; i < N_KEPT + 5; i++) {
        append(1, 1);
        append(2, 1);
    }
    add_limits(1, 999, 2000);
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);
    append(1, 2000 - N_KEPT);
    CU_ASSERT_EQUAL(check_all(), 2000 + N_KEPT);
    append(1, 4000);
    CU_ASSERT_EQUAL(check_all(), 2000 + N_KEPT);

    add_limits(1, -999, 2000); /* fewer limits, and yet somebody may be reading */
    append(1, 1);
    CU_ASSERT_EQUAL(check_all(), 2000 + N_KEPT);
}

static void test_who_has_left_can_still_be_read(void) {
    add_limits(1, 3, N_KEPT);
    add_limits(2, 1, N_KEPT);
    append(1, N_KEPT);
    add_limits(1, -3, N_KEPT);
    append(2, 5000);
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);

    add_limits(1, 1, N_KEPT); /* and is back */
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);
    append(1, 10);
    CU_ASSERT_EQUAL(check_all(), 2 * N_KEPT);
}

static void test_who_left_first_makes_room(void) {
    for (guint user = 0; user < N_USERS; user++) {
        add_limits(user, 1, N_KEPT);
        append(user, 2);
    }
    for (guint user = 0; user < N_USERS; user++)
        add_limits(user, -1, N_KEPT);
    add_limits(0, 1, N_KEPT); /* returns, so that another is the first */
    CU_ASSERT_EQUAL(check_all(), 2 * N_USERS);

    add_limits(1000, 1, N_KEPT);
    forget(1);
    CU_ASSERT_EQUAL(check_all(), 2 * N_USERS - 2);
    append(1000, N_KEPT);
    append(0, N_KEPT);
    CU_ASSERT_EQUAL(check_all(), 2 * N_USERS - 4 + 2 * N_KEPT);

    add_limits(1, 1, N_KEPT); /* he comes as a stranger */
    forget(2);
    append(1, 10);
    CU_ASSERT_EQUAL(check_all(), 2 * N_USERS - 6 + 2 * N_KEPT + 10);
}

static void test_losing_the_very_last(void) {
    guint64 cursor;

    add_limits(1, 1, N_KEPT);
    append(1, 7);
    cursor = mn_event_log_get_end(fixture.log) - 3;
    add_limits(1, -1, N_KEPT);
    add_limits(2, MN_EVENT_LOG_LINES_OF_ALL / 2, MN_EVENT_LOG_LINES_OF_ALL);
    forget(1);
    check_next(&cursor, "0.000006 - - lost 3\n");
    check_next(&cursor, "");
    append(2, 1);
    check_next(&cursor, "0.000007 low used left 7 7\n");
}

static void test_users_who_all_stay(void) {
    enum {
        LATE = N_USERS,
        N_ALL = 2 * (N_USERS - 1) + N_KEPT
    };

    for (guint user = 0; user < N_USERS; user++) {
        add_limits(user, 1, N_KEPT);
        append(user, user == N_USERS - 1 ? N_KEPT : 2);
    }
    add_limits(LATE, 1, MN_EVENT_LOG_LINES_AT_LEAST);
    append(LATE, 2 * MN_EVENT_LOG_LINES_AT_LEAST);
    CU_ASSERT_EQUAL(check_all(), N_ALL + MN_EVENT_LOG_LINES_AT_LEAST);
    add_limits(LATE, 99, 200);
    append(LATE, 300);
    CU_ASSERT_EQUAL(check_all(), N_ALL + 200);

    add_limits(3, -1, N_KEPT);
    add_limits(4, 1, N_KEPT); /* who has room takes none */
    CU_ASSERT_EQUAL(check_all(), N_ALL + 200);
    add_limits(LATE, 1, N_KEPT);
    forget(3);
    append(LATE, 2 * N_KEPT);
    CU_ASSERT_EQUAL(check_all(), N_ALL - 2 + N_KEPT);
}

static void test_many_who_come_and_go(void) {
    for (guint user = 0; user < 4096; user++) {
        add_limits(user, 2, N_KEPT);
        append(user, user % 2 ? 100 : 0); /* some are not heard of */
        add_limits(user, -2, N_KEPT);
        if (user >= N_USERS)
            forget(user - N_USERS);
    }
    CU_ASSERT_EQUAL(check_all(), 100 * N_USERS / 2);
}

static void test_appending_allocates_nothing(void) {
    guint64 before = allocations();

    add_limits(1, 1, N_KEPT);
    add_limits(2, 2000, 4000);
    CU_ASSERT_TRUE(allocations() > before); /* it does count */

    before = allocations();
    append(1, 5000);
    append(2, 20000);
    append(1, 5000);
    CU_ASSERT_EQUAL(allocations(), before);
}

/* Users come, go, and get more limits; readers are slow or quick. */
static void test_as_the_model_says(void) {
    static const guint limits[] = { 1, 3, 700, 900, 1500 };
    g_autoptr(GRand) random = g_rand_new_with_seed(20261124);
    gboolean is_there[G_N_ELEMENTS(limits)] = { FALSE };
    guint64 quick = 0, slow = 0;

    while (fixture.n < 60000) {
        guint user = g_rand_int_range(random, 0, G_N_ELEMENTS(limits));
        gint n = (gint)limits[user];

        if (!is_there[user] || g_rand_int_range(random, 0, 10) == 0) {
            add_limits(user, is_there[user] ? -n : n, MAX(2 * n, N_KEPT));
            is_there[user] = !is_there[user];
        }
        if (is_there[user])
            append(user, g_rand_int_range(random, 0, 1000));
        check_rest(&quick);
        if (g_rand_int_range(random, 0, 20) == 0)
            check_rest(&slow);
    }
    CU_ASSERT_TRUE(check_all() > N_KEPT);
}

static void append_for_all(gint64 time_us, MnEventWord word) {
    mn_event_log_append_for_all(fixture.log, &(MnEvent){ .time_us = time_us, .word = word });
}

/* It is nobody's, and there before anybody has a limit. */
static void test_what_is_for_all(void) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    guint64 cursor = 0;

    append_for_all(2500000, MN_EVENT_REMOVED);
    append_for_all(3000001, MN_EVENT_RETURNED);
    CU_ASSERT(mn_event_log_next(fixture.log, &cursor, line) > 0);
    CU_ASSERT_STRING_EQUAL(line, "2.500000 - - removed\n");
    CU_ASSERT(mn_event_log_next(fixture.log, &cursor, line) > 0);
    CU_ASSERT_STRING_EQUAL(line, "3.000001 - - returned\n");
    CU_ASSERT_EQUAL(mn_event_log_next(fixture.log, &cursor, line), 0);

    for (guint i = 0; i < 100 * MN_EVENT_LOG_LINES; i++)
        append_for_all(i, MN_EVENT_REMOVED);
    CU_ASSERT(mn_event_log_next(fixture.log, &cursor, line) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, " - - lost "));
    for (guint i = 0; i < MN_EVENT_LOG_LINES_FOR_ALL; i++)
        CU_ASSERT(mn_event_log_next(fixture.log, &cursor, line) > 0);
    CU_ASSERT_EQUAL(mn_event_log_next(fixture.log, &cursor, line), 0);
}

/* Neither what nobody could read, nor room for it; who has limits is still known. */
static void test_nothing_is_kept_while_nobody_reads(void) {
    guint64 cursor, before, allocated;

    add_limits(1, 1, N_KEPT);
    add_limits(2, 2000, 4000);
    append(1, 10);
    add_limits(1, -1, N_KEPT);
    mn_event_log_end(fixture.log);

    append(2, 4000);
    append_for_all(0, MN_EVENT_REMOVED);
    add_limits(3, 1, N_KEPT);
    append(3, 1);
    add_limits(3, -1, N_KEPT);
    cursor = mn_event_log_get_end(fixture.log);
    CU_ASSERT_EQUAL(cursor, 10);

    before = allocations();
    mn_event_log_begin(fixture.log);
    allocated = allocations() - before;
    check_next(&cursor, "");
    before = allocations();
    mn_event_log_append(fixture.log, 2, &crossing, "low");
    CU_ASSERT(mn_event_log_next(fixture.log, &cursor, (char[MEMNOTIFYFS_EVENT_LINE_MAX]){ 0 }) > 0);
    check_next(&cursor, "");
    CU_ASSERT(allocated > 0);
    CU_ASSERT_EQUAL(allocations(), before);
}

static CU_TestInfo tests[] = {
    { "nothing is kept while nobody reads", test_nothing_is_kept_while_nobody_reads },
    { "what is for all", test_what_is_for_all },
    { "a reader sees what comes after it", test_a_reader_sees_what_comes_after_it },
    { "readers are independent", test_readers_are_independent },
    { "a full log loses nothing", test_a_full_log_loses_nothing },
    { "a slow reader is told how much it lost", test_a_slow_reader_is_told_how_much_it_lost },
    { "losing again while reading", test_losing_again_while_reading },
    { "a flood of one user pushes out nobody else's", test_a_flood_pushes_out_nobody_elses },
    { "many limits have room", test_many_limits_have_room },
    { "room that grows keeps lines and order", test_room_that_grows_keeps_lines_and_order },
    { "who has left can still be read", test_who_has_left_can_still_be_read },
    { "who left first makes room", test_who_left_first_makes_room },
    { "losing the very last", test_losing_the_very_last },
    { "more users than there is room for", test_users_who_all_stay },
    { "many who come and go", test_many_who_come_and_go },
    { "appending allocates nothing", test_appending_allocates_nothing },
    { "as the model says", test_as_the_model_says },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "eventlog", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
