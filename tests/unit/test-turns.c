/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose turn it is, by moments that are given. */
#include "core/turns.h"
#include "runner.h"

#define BURST G_TIME_SPAN_SECOND
#define NOW (100 * BURST)

enum {
    ROOT,
    ANNA = 1000,
    BERT,
};

static MnTurns turns;

static void set_up(void) {
    mn_turns_init(&turns);
}

/* What a test leaves waiting is static. */
static void tear_down(void) {
    MnTurn *turn;

    while ((turn = mn_turns_first(&turns)))
        mn_turns_drop(&turns, turn);
    mn_turns_clear(&turns);
}

static void add(MnTurn *turn, uid_t uid, gint64 now_us) {
    *turn = (MnTurn){ .uid = uid, .is_free = uid == 0 };
    mn_turns_add(&turns, turn, now_us);
}

/* Serves one turn of the user, who has to have it. */
static void serve(uid_t uid, gint64 now_us, gint64 spent_us) {
    MnTurn turn;

    add(&turn, uid, now_us);
    CU_ASSERT_PTR_EQUAL_FATAL(mn_turns_next(&turns, now_us, FALSE), &turn);
    mn_turns_begin(&turns, &turn);
    mn_turns_end(&turns, &turn, now_us, spent_us);
}

static void begin_and_end(MnTurn *turn) {
    mn_turns_begin(&turns, turn);
    mn_turns_end(&turns, turn, NOW, 0);
}

static gboolean must_wait(uid_t uid, gint64 now_us) {
    MnTurn turn;
    gboolean is_next;

    add(&turn, uid, now_us);
    is_next = mn_turns_next(&turns, now_us, FALSE) == &turn;
    mn_turns_drop(&turns, &turn);
    return !is_next;
}

static void test_users_go_round(void) {
    static const uid_t uids[] = { ANNA, ANNA, ANNA, BERT, BERT, ROOT };
    static const guint order[] = { 0, 3, 5, 1, 4, 2 };
    MnTurn waiting[G_N_ELEMENTS(uids)];

    CU_ASSERT_PTR_NULL(mn_turns_next(&turns, NOW, FALSE));
    for (guint i = 0; i < G_N_ELEMENTS(uids); i++)
        add(&waiting[i], uids[i], NOW);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        MnTurn *next = mn_turns_next(&turns, NOW, FALSE);

        CHECK(next == &waiting[order[i]], "%u", i);
        mn_turns_begin(&turns, next);
        mn_turns_end(&turns, next, NOW, 0);
    }
    CU_ASSERT_PTR_NULL(mn_turns_first(&turns));
}

static void test_one_of_each_at_a_time(void) {
    static MnTurn first, second, other;

    add(&first, ANNA, NOW);
    add(&second, ANNA, NOW);
    mn_turns_begin(&turns, &first);
    CU_ASSERT_PTR_NULL(mn_turns_next(&turns, NOW, FALSE));
    add(&other, BERT, NOW);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &other);
    mn_turns_end(&turns, &first, NOW, 0);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &other); /* came before the second's turn did */
    mn_turns_begin(&turns, &other);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &second);
    mn_turns_end(&turns, &other, NOW, 0);
}

static void test_root_alone(void) {
    static MnTurn user, root;

    add(&user, ANNA, NOW);
    CU_ASSERT_PTR_NULL(mn_turns_next(&turns, NOW, TRUE));
    add(&root, ROOT, NOW);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, TRUE), &root);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &user);
}

static void test_what_is_dropped_is_passed_over(void) {
    static MnTurn first, second, other;

    add(&first, ANNA, NOW);
    add(&second, ANNA, NOW);
    add(&other, BERT, NOW);
    mn_turns_drop(&turns, &first);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &second);
    mn_turns_drop(&turns, &second);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &other);
}

/* How much was taken at NOW, in so many turns, and how long the next has to wait for it. */
static void test_shares(void) {
    static const struct {
        const char *name;
        uid_t uid;
        guint n;
        gint64 spent_us;
        gint64 wait_us;
    } rows[] = {
        { "nothing", ANNA, 100, 0, 0 },
        { "a burst", ANNA, 1, BURST, 0 },
        { "a burst in small pieces", ANNA, 1000, BURST / 1000, 0 },
        { "more", ANNA, 1001, BURST / 1000, BURST / 100 },
        { "two bursts", ANNA, 2, BURST, 10 * BURST },
        { "one that was very long", ANNA, 1, 60 * BURST, 0 },
        { "two that were", ANNA, 2, 60 * BURST, 10 * BURST },
        { "root", ROOT, 100, BURST, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 wait_us = rows[i].wait_us;

        tear_down();
        set_up();
        for (guint j = 0; j < rows[i].n; j++)
            serve(rows[i].uid, NOW, rows[i].spent_us);
        CHECK(!must_wait(rows[i].uid, NOW + wait_us), "%s: too long", rows[i].name);
        CHECK(wait_us == 0 || must_wait(rows[i].uid, NOW + wait_us - 1), "%s: not as long", rows[i].name);
        CHECK(!must_wait(BERT, NOW), "%s: the other", rows[i].name);
    }
}

static void test_time_evens_it_out(void) {
    serve(ANNA, NOW, BURST);
    serve(ANNA, NOW + 10 * BURST, BURST);
    CU_ASSERT(!must_wait(ANNA, NOW + 10 * BURST));
    serve(ANNA, NOW + 10 * BURST, BURST);
    CU_ASSERT(must_wait(ANNA, NOW + 10 * BURST));
}

static void test_when_to_look_again(void) {
    static MnTurn turn, urgent;

    urgent = (MnTurn){ .uid = BERT, .is_urgent = TRUE };
    CU_ASSERT_EQUAL(mn_turns_wake_us(&turns, NOW), G_MAXINT64);
    for (guint i = 0; i < 2; i++) {
        serve(ANNA, NOW, BURST);
        serve(BERT, NOW, BURST);
    }
    CU_ASSERT_EQUAL(mn_turns_wake_us(&turns, NOW), G_MAXINT64);
    mn_turns_add(&turns, &urgent, NOW);
    CU_ASSERT_EQUAL(mn_turns_wake_us(&turns, NOW), G_MAXINT64);
    add(&turn, ANNA, NOW);
    CU_ASSERT_EQUAL(mn_turns_wake_us(&turns, NOW), NOW + 10 * BURST);
    CU_ASSERT_PTR_EQUAL(mn_turns_next(&turns, NOW, FALSE), &urgent);
    CU_ASSERT_EQUAL(mn_turns_wake_us(&turns, NOW + 10 * BURST), G_MAXINT64);
}

/* Who has nothing to even out any more is not remembered. */
static void test_users_are_forgotten(void) {
    for (guint i = 0; i < 100; i++)
        serve(ANNA + i, NOW + i, 0);
    CU_ASSERT(g_hash_table_size(turns.users) <= 2);
    serve(BERT, NOW, BURST);
    for (guint i = 2; i < 100; i++)
        serve(ANNA + i, NOW + i, 0);
    CU_ASSERT(g_hash_table_contains(turns.users, GUINT_TO_POINTER(BERT)));
}

static void assert_next(MnTurn *turn) {
    CU_ASSERT_PTR_EQUAL_FATAL(mn_turns_next(&turns, NOW, FALSE), turn);
    begin_and_end(turn);
}

/* Who comes now and then is before one whose turns never end. */
static void test_who_was_served_longest_ago_is_next(void) {
    MnTurn many[4], anna, bert;

    for (guint i = 0; i < G_N_ELEMENTS(many); i++)
        add(&many[i], ROOT, NOW);
    assert_next(&many[0]);
    add(&bert, BERT, NOW);
    add(&anna, ANNA, NOW);
    assert_next(&bert);
    assert_next(&anna);
    assert_next(&many[1]);
    add(&bert, BERT, NOW);
    add(&anna, ANNA, NOW);
    assert_next(&bert);
    add(&bert, BERT, NOW);
    assert_next(&anna);
    assert_next(&many[2]);
    assert_next(&bert);
    assert_next(&many[3]);
}

static CU_TestInfo tests[] = {
    { "users go round", test_users_go_round },
    { "one of each at a time", test_one_of_each_at_a_time },
    { "who was served longest ago is next", test_who_was_served_longest_ago_is_next },
    { "root alone", test_root_alone },
    { "what is dropped is passed over", test_what_is_dropped_is_passed_over },
    { "shares", test_shares },
    { "time evens it out", test_time_evens_it_out },
    { "when to look again", test_when_to_look_again },
    { "users are forgotten", test_users_are_forgotten },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "turns", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
