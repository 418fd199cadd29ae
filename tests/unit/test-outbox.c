/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told when a turn of the main loop ends, and how often. */
#include "allocations.h"
#include "loop/alarm.h"
#include "loop/outbox.h"
#include "hand-clock.h"
#include "runner.h"

#define N 1000

typedef struct Teller {
    MnNotice notice;
    MnOutbox *outbox;
    guint n_told;
    guint place;          /* among those that were told */
    struct Teller *other; /* to put, or to take back, when it tells */
    gboolean takes_back;
    gint64 takes_us;
} Teller;

static guint n_told;
static HandClock clock_of_tellers = HAND_CLOCK;

static void tell(MnNotice *notice) {
    Teller *self = (Teller *)notice;

    clock_of_tellers.now_us += MAX(self->takes_us, 1);
    self->n_told++;
    self->place = n_told++;
    if (self->other && self->takes_back)
        mn_outbox_take_back(self->outbox, &self->other->notice);
    else if (self->other)
        mn_outbox_put(self->outbox, &self->other->notice);
}

static void tellers_init(Teller *tellers, guint n, MnOutbox *outbox) {
    n_told = 0;
    for (guint i = 0; i < n; i++)
        tellers[i] = (Teller){ .notice.tell = tell, .outbox = outbox };
}

static void test_once_a_turn_and_in_order(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    Teller tellers[3];

    tellers_init(tellers, 3, outbox);
    for (guint again = 0; again < 5; again++)
        for (guint i = 0; i < 3; i++)
            mn_outbox_put(outbox, &tellers[i].notice);
    CU_ASSERT_EQUAL(n_told, 0); /* not before the turn ends */
    g_main_context_iteration(NULL, FALSE);
    for (guint i = 0; i < 3; i++)
        CHECK(tellers[i].n_told == 1 && tellers[i].place == i, "%u", i);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(n_told, 3);

    mn_outbox_put(outbox, &tellers[1].notice); /* the next turn is another */
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(tellers[1].n_told, 2);
}

static void test_take_back(void) {
    static const struct {
        const char *taken; /* of "abc", one after the other */
        const char *told;
    } rows[] = { { "", "abc" }, { "a", "bc" },  { "b", "ac" }, { "c", "ab" }, { "ac", "b" },
                 { "cb", "a" }, { "bb", "ac" }, { "abc", "" }, { "cba", "" } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
        g_autoptr(GString) told = g_string_new(NULL);
        Teller tellers[4];

        tellers_init(tellers, 4, outbox);
        for (guint n = 0; n < 3; n++)
            mn_outbox_put(outbox, &tellers[n].notice);
        for (const char *name = rows[i].taken; *name; name++)
            mn_outbox_take_back(outbox, &tellers[*name - 'a'].notice);
        mn_outbox_put(outbox, &tellers[3].notice); /* at the end, wherever that is now */
        mn_outbox_flush(outbox);
        for (guint n = 0; n < 3; n++)
            if (tellers[n].n_told == 1)
                g_string_append_c(told, 'a' + n);
        CHECK(g_strcmp0(told->str, rows[i].told) == 0, "%s: %s", rows[i].taken, told->str);
        CHECK(tellers[3].n_told == 1 && tellers[3].place == told->len, "%s", rows[i].taken);
    }
}

static void test_telling_may_put_and_take_back(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    Teller tellers[3];

    tellers_init(tellers, 3, outbox);
    tellers[0].other = &tellers[2]; /* which is told in the next turn, and at once */
    mn_outbox_put(outbox, &tellers[0].notice);
    CU_ASSERT_TRUE(mn_outbox_flush(outbox));
    CU_ASSERT_EQUAL(tellers[2].n_told, 0);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(tellers[2].n_told, 1);

    tellers[0].takes_back = TRUE;
    for (guint i = 0; i < 3; i++)
        mn_outbox_put(outbox, &tellers[i].notice);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(tellers[1].n_told, 1);
    CU_ASSERT_EQUAL(tellers[2].n_told, 1);
}

static void test_the_end_tells_what_is_left(void) {
    MnOutbox *outbox = mn_outbox_new(&still_clock.clock);
    Teller teller;

    tellers_init(&teller, 1, outbox);
    mn_outbox_put(outbox, &teller.notice);
    mn_outbox_free(outbox);
    CU_ASSERT_EQUAL(teller.n_told, 1);
    mn_outbox_free(NULL);
}

static void test_no_allocation(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autofree Teller *tellers = g_new0(Teller, N);
    guint64 before;

    tellers_init(tellers, N, outbox);
    before = allocations();
    CU_ASSERT_TRUE(before > 0);
    for (guint i = 0; i < N; i++)
        mn_outbox_put(outbox, &tellers[i].notice);
    while (mn_outbox_flush(outbox))
        continue;
    CU_ASSERT_EQUAL(allocations(), before);
    CU_ASSERT_EQUAL(n_told, N);
}

static gboolean on_other(gpointer data) {
    *(guint *)data = n_told;
    return G_SOURCE_REMOVE;
}

/* Who has something to do in the loop waits for a few to be told, not for all. */
static void test_others_have_their_turn(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&clock_of_tellers.clock);
    g_autofree Teller *tellers = g_new0(Teller, N);
    guint told_before = 0;

    CU_ASSERT_TRUE(N > 3 * MN_OUTBOX_AT_ONCE_US);
    tellers_init(tellers, N, outbox);
    for (guint i = 0; i < N; i++)
        mn_outbox_put(outbox, &tellers[i].notice);
    CU_ASSERT_TRUE(mn_outbox_flush(outbox));
    CU_ASSERT_EQUAL(n_told, MN_OUTBOX_AT_ONCE_US);

    g_timeout_add(0, on_other, &told_before);
    while (n_told + MN_OUTBOX_AT_ONCE_US < N) /* it never sleeps before all are told */
        g_main_context_iteration(NULL, TRUE);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(n_told, N);
    CU_ASSERT_TRUE(told_before > MN_OUTBOX_AT_ONCE_US && told_before <= 3 * MN_OUTBOX_AT_ONCE_US);
}

static void test_a_few_are_told_however_long_it_takes(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&clock_of_tellers.clock);
    Teller tellers[MN_OUTBOX_AT_LEAST + 1];

    tellers_init(tellers, G_N_ELEMENTS(tellers), outbox);
    tellers[0].takes_us = MN_OUTBOX_AT_ONCE_US;
    for (guint i = 0; i < G_N_ELEMENTS(tellers); i++)
        mn_outbox_put(outbox, &tellers[i].notice);
    CU_ASSERT_TRUE(mn_outbox_flush(outbox));
    CU_ASSERT_EQUAL(n_told, MN_OUTBOX_AT_LEAST);
    CU_ASSERT_FALSE(mn_outbox_flush(outbox));
    CU_ASSERT_EQUAL(n_told, MN_OUTBOX_AT_LEAST + 1);
}

/* --- alarms, by a clock that is set by hand --- */

static void count(gpointer data) {
    ++*(guint *)data;
}

static void turn(void) {
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

static void test_an_alarm_rings_once(void) {
    HandClock hand = HAND_CLOCK_AT(5000);
    guint n = 0;
    g_autoptr(MnAlarm) alarm = mn_alarm_new(&hand.clock, "test", count, &n);

    turn();
    CU_ASSERT_EQUAL(n, 0);
    mn_alarm_set(alarm, 6000);
    turn();
    CU_ASSERT_EQUAL(n, 0);
    hand.now_us = 6000;
    turn();
    CU_ASSERT_EQUAL(n, 1);
    hand.now_us = 1000000;
    turn();
    CU_ASSERT_EQUAL(n, 1);

    mn_alarm_set(alarm, 1); /* long ago */
    turn();
    CU_ASSERT_EQUAL(n, 2);
    mn_alarm_set(alarm, 1);
    mn_alarm_set(alarm, 2000000); /* in its place */
    turn();
    CU_ASSERT_EQUAL(n, 2);
    mn_alarm_stop(alarm);
    hand.now_us = 3000000;
    turn();
    CU_ASSERT_EQUAL(n, 2);
    mn_alarm_free(NULL);
}

typedef struct Setter {
    MnNotice notice;
    MnAlarm *alarm;
} Setter;

static void set_alarm(MnNotice *notice) {
    mn_alarm_set(((Setter *)notice)->alarm, 1);
}

/* Otherwise the loop would sleep although it is due. */
static void test_telling_may_set_an_alarm(void) {
    HandClock hand = HAND_CLOCK_AT(5000);
    guint n = 0;
    g_autoptr(MnAlarm) alarm = mn_alarm_new(&hand.clock, "test", count, &n); /* before the outbox */
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    Setter setter = { { .tell = set_alarm }, alarm };

    mn_outbox_put(outbox, &setter.notice);
    g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n, 1);
}

static void test_the_machines_clock(void) {
    gint64 before_us = mn_clock_now_us(&mn_machine_clock);

    CU_ASSERT_TRUE(before_us > 0);
    CU_ASSERT_TRUE(mn_clock_wait_us(&mn_machine_clock, before_us) <= 0);
    CU_ASSERT_TRUE(mn_clock_wait_us(&mn_machine_clock, before_us + 3600 * G_TIME_SPAN_SECOND) > 0);
    CU_ASSERT_TRUE(mn_clock_now_us(&mn_machine_clock) >= before_us);
}

static CU_TestInfo tests[] = {
    { "once a turn, and in order", test_once_a_turn_and_in_order },
    { "others have their turn between many", test_others_have_their_turn },
    { "a few are told however long it takes", test_a_few_are_told_however_long_it_takes },
    { "what is taken back is not told", test_take_back },
    { "telling may put and take back", test_telling_may_put_and_take_back },
    { "the end tells what is left", test_the_end_tells_what_is_left },
    { "nothing is allocated", test_no_allocation },
    { "an alarm rings once", test_an_alarm_rings_once },
    { "telling may set an alarm", test_telling_may_set_an_alarm },
    { "the machine's clock", test_the_machines_clock },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "outbox", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
