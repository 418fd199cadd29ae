/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clients' eventfds: who may have how many, and when they end. What only a period notices is in
 * tests/integration: nothing here waits for a clock. */
#include "client-process.h"
#include "descriptors.h"
#include "hand-clock.h"
#include "runner.h"
#include "memcg/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 1000
#define OTHER_USER 1001
#define PLACE 700 /* a number that no descriptor gets by itself */
#define N_CYCLES 10000

static HandClock still = HAND_CLOCK;
static MnHelper *helper;
static MnQuota *quota;
static MnSinks *sinks;
static ClientProcess client, other_client;
static guint n_ended;
static const MnSink *last_ended;
static guint n_held_before;

/* How many eventfds and processes we have open. */
static guint n_held(void) {
    return open_descriptors("[eventfd]") + open_descriptors("pidfd") - n_held_before;
}

static void on_ended(MnSink *sink, gpointer data) {
    g_assert_true(data == &n_ended);
    g_assert_cmpint(fcntl(sink->fd, F_GETFD), >=, 0); /* can still be signalled */
    n_ended++;
    last_ended = sink;
}

static int do_nothing(MnParcel *question G_GNUC_UNUSED, MnParcel *answer G_GNUC_UNUSED) {
    return 0;
}

static void note_answer(int r, MnParcel *answer G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED) {
    CU_ASSERT_EQUAL(r, 0);
}

/* So that its own descriptors are there before others are counted. */
static void start_helper(void) {
    static const MnTask nothing = { .name = "do nothing", .limit_ms = 10000, .run = do_nothing };
    MnHelperJob *job;

    quota = mn_quota_new(0, 100000);
    helper = mn_helper_new(&still.clock, quota);
    CU_ASSERT_EQUAL(mn_helper_ask(helper, &nothing, 0, NULL, 0, NULL, 0, note_answer, NULL, &job), 0);
    mn_helper_settle(helper);
}

static void set_up(void) {
    n_ended = 0;
    last_ended = NULL;
    start_helper();
    client_start(&client);
    client_start(&other_client);
    g_assert_cmpint(mn_sinks_new(quota, helper, on_ended, &n_ended, &sinks), ==, 0);
    (void)g_main_context_default(); /* has an eventfd of its own */
    n_held_before = 0;
    n_held_before = n_held();
}

static void tear_down(void) {
    mn_sinks_end_all(sinks);
    mn_sinks_free(sinks);
    CU_ASSERT_EQUAL(n_held(), 0);
    mn_helper_free(helper);
    mn_quota_free(quota); /* nothing is charged any more */
    client_end(&client);
    client_end(&other_client);
}

static int try_charge(const ClientProcess *process, uid_t uid, int number, MnSink **ret) {
    g_auto(MnSinkKey) key = { .pidfd = -1, .fd = -1 };

    still.now_us += 10 * G_TIME_SPAN_SECOND; /* after which everybody has his share of the helper again */
    mn_sinks_look(sinks, uid);
    mn_helper_settle(helper);
    key = client_key(process, uid, number);
    return mn_sinks_charge(sinks, &key, ret);
}

static MnSink *charge(const ClientProcess *process, uid_t uid, int number) {
    MnSink *sink = NULL;

    CU_ASSERT_EQUAL_FATAL(try_charge(process, uid, number, &sink), 0);
    return sink;
}

static void test_one_sink_for_an_eventfd(void) {
    int event = client_make_eventfd(&client), other = client_make_eventfd(&client);
    MnSink *sink = charge(&client, USER, event);

    CU_ASSERT_EQUAL(charge(&client, USER, event), sink);
    CU_ASSERT_NOT_EQUAL(charge(&client, USER, other), sink);
    CU_ASSERT_EQUAL(sink->n_charged, 2);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 3);
    CU_ASSERT_EQUAL(n_held(), 2 + 1); /* and one process */
    CU_ASSERT_EQUAL(eventfd_write(sink->fd, 3), 0);
    CU_ASSERT_EQUAL(client_count(&client, event), 3);
}

static void test_the_last_refund_ends_it(void) {
    int event = client_make_eventfd(&client);
    MnSink *sink = charge(&client, USER, event);

    (void)charge(&client, USER, event);
    mn_sinks_refund(sinks, sink);
    CU_ASSERT_EQUAL(n_ended, 0);
    mn_sinks_refund(sinks, sink);
    CU_ASSERT_EQUAL(n_ended, 1);
    CU_ASSERT_EQUAL(n_held(), 0);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 0);
}

static void test_the_end_of_a_process(void) {
    MnSink *others = charge(&other_client, USER, client_make_eventfd(&other_client));

    for (guint i = 0; i < 3; i++)
        (void)charge(&client, USER, client_make_eventfd(&client));
    client_kill(&client);
    while (n_ended < 3)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 1);
    CU_ASSERT_EQUAL(others->n_charged, 1);
    CU_ASSERT_EQUAL(n_held(), 1 + 1);
}

/* How many descriptors the main loop looks at in each turn. */
static gint n_polled(void) {
    GMainContext *context = g_main_context_default();
    GPollFD fds[64];
    gint priority, timeout, n;

    g_assert_true(g_main_context_acquire(context));
    g_main_context_prepare(context, &priority);
    n = g_main_context_query(context, priority, &timeout, fds, G_N_ELEMENTS(fds));
    g_main_context_check(context, priority, fds, n);
    g_main_context_release(context);
    return n;
}

static void test_a_turn_costs_no_more_for_many(void) {
    gint n;

    (void)charge(&client, USER, client_make_eventfd(&client));
    n = n_polled();
    (void)charge(&other_client, USER, client_make_eventfd(&other_client));
    CU_ASSERT_EQUAL(n_polled(), n);
}

/* Before the main loop could tell us: its pid may be another's by now. */
static void test_a_process_that_ended_unnoticed(void) {
    g_auto(MnSinkKey) key = { .pidfd = -1, .fd = -1 };
    ClientProcess ended;
    MnSink *sink;
    int event;

    client_start(&ended);
    event = client_make_eventfd(&ended);
    key = client_key(&ended, USER, event);
    (void)charge(&ended, OTHER_USER, event);
    client_end(&ended);
    CU_ASSERT_EQUAL(mn_sinks_charge(sinks, &key, &sink), 0);
    CU_ASSERT_EQUAL(n_ended, 1); /* what it had before */
    while (n_ended < 2)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n_held(), 0);
}

static void test_a_closed_eventfd(void) {
    int event = client_make_eventfd(&client), other = client_make_eventfd(&client);
    MnSink *sink = charge(&client, USER, event);

    client_close(&client, event);
    (void)charge(&client, OTHER_USER, other); /* does not pay for this user */
    CU_ASSERT_EQUAL(n_ended, 0);
    (void)charge(&client, USER, other);
    CU_ASSERT_EQUAL(n_ended, 1);
    CU_ASSERT_EQUAL(last_ended, sink);
}

static void test_another_eventfd_under_the_number(void) {
    int event = client_make_eventfd(&client), next = client_make_eventfd(&client);
    guint64 id = charge(&client, USER, event)->eventfd_id;

    client_dup2(&client, next, event);
    CU_ASSERT_NOT_EQUAL(charge(&client, USER, event)->eventfd_id, id);
    CU_ASSERT_EQUAL(n_ended, 1);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 1);
}

static void test_an_eventfd_under_another_number(void) {
    int event = client_make_eventfd(&client), other = client_make_eventfd(&client);
    MnSink *sink = charge(&client, USER, event);

    client_dup2(&client, event, PLACE);
    client_close(&client, event);
    for (guint i = 0; i < 10; i++)
        (void)charge(&client, USER, other);
    CU_ASSERT_EQUAL(n_ended, 0);
    CU_ASSERT_EQUAL(sink->number, PLACE);
    CU_ASSERT_EQUAL(charge(&client, USER, PLACE), sink);
}

static void test_all_end_at_the_end(void) {
    int event = client_make_eventfd(&client);

    (void)charge(&client, USER, event);
    (void)charge(&client, USER, client_make_eventfd(&client));
    (void)charge(&client, 0, event);
    (void)charge(&other_client, OTHER_USER, client_make_eventfd(&other_client));
    mn_sinks_end_all(sinks);
    CU_ASSERT_EQUAL(n_ended, 3);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 0);
    CU_ASSERT_EQUAL(n_held(), 0);
}

/* --- how many --------------------------------------------------------------------------------- */

static void test_a_user_has_a_quota(void) {
    int event = client_make_eventfd(&client), other = client_make_eventfd(&client);
    MnSink *sink = NULL, *refused = NULL;

    for (guint i = 0; i < MN_REGISTRATIONS_PER_USER_MAX; i++)
        sink = charge(&client, USER, event);
    CU_ASSERT_EQUAL(try_charge(&client, USER, event, &refused), -EDQUOT);
    CU_ASSERT_PTR_NULL(refused);
    (void)charge(&client, OTHER_USER, other); /* each has his own */
    (void)charge(&client, 0, other);          /* and root as many as there are */
    CU_ASSERT_EQUAL(try_charge(&client, USER, event, &refused), -EDQUOT);
    mn_sinks_refund(sinks, sink);
    CU_ASSERT_EQUAL(charge(&client, USER, event), sink);
    CU_ASSERT_EQUAL(n_ended, 0);
}

static void test_what_was_closed_makes_room(void) {
    int first = client_make_eventfd(&client), last = first;

    for (guint i = 0; i < MN_REGISTRATIONS_PER_USER_MAX; i++) {
        if (i > 0 && i % 16 == 0)
            last = client_make_eventfd(&client);
        (void)charge(&client, USER, last);
    }
    client_close(&client, last);
    (void)charge(&client, USER, first);
    CU_ASSERT_EQUAL(n_ended, 1);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), MN_REGISTRATIONS_PER_USER_MAX - 16 + 1);
}

/* Who registers and closes in a loop never has more than a few of our descriptors. */
static void test_closing_is_paid_for_by_registering(void) {
    guint n_most = 0;

    for (guint i = 0; i < N_CYCLES; i++) {
        int event = client_make_eventfd(&client);

        (void)charge(&client, USER, event);
        client_close(&client, event);
        n_most = MAX(n_most, mn_sinks_get_n_registrations(sinks));
        still.now_us += G_TIME_SPAN_SECOND; /* he has his share */
    }
    CU_ASSERT(n_most <= 2);
    CU_ASSERT_EQUAL(n_ended, N_CYCLES - mn_sinks_get_n_registrations(sinks));
}

static void test_all_together_have_a_quota(void) {
    g_auto(MnSinkKey) root = client_key(&client, 0, client_make_eventfd(&client));
    g_auto(MnSinkKey) user = client_key(&client, USER, client_make_eventfd(&client));
    MnSink *sink = NULL;
    int r;

    while ((r = mn_sinks_charge(sinks, &root, &sink)) == 0)
        continue;
    CU_ASSERT_EQUAL(r, -EDQUOT);
    CU_ASSERT_EQUAL(mn_sinks_get_n_registrations(sinks), 65536);
    CU_ASSERT_EQUAL(mn_sinks_charge(sinks, &user, &sink), -EDQUOT);
    mn_sinks_refund(sinks, sink);
    CU_ASSERT_EQUAL(mn_sinks_charge(sinks, &root, &sink), 0);
}

/* --- few descriptors -------------------------------------------------------------------------- */

static int charge_new(MnSinks *few, MnSink **ret) {
    g_auto(MnSinkKey) key = client_key(&client, 0, client_make_eventfd(&client));

    return mn_sinks_charge(few, &key, ret);
}

/* Each eventfd costs a descriptor, and each process one. */
static void test_descriptors(void) {
    static const struct {
        guint n_descriptors;
        guint expected;
    } rows[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 5, 4 } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnQuota *small = mn_quota_new(0, rows[i].n_descriptors);
        MnSink *sink = NULL;
        MnSinks *few;
        guint n = 0;

        g_assert_cmpint(mn_sinks_new(small, NULL, on_ended, &n_ended, &few), ==, 0);
        while (n <= rows[i].expected && charge_new(few, &sink) == 0)
            n++;
        CHECK(n == rows[i].expected, "%u: %u", rows[i].n_descriptors, n);
        CHECK(charge_new(few, &sink) == -ENFILE, "%u", rows[i].n_descriptors);
        CHECK(mn_sinks_get_n_registrations(few) == n, "%u", rows[i].n_descriptors);
        if (sink) { /* one goes, and there is room for another */
            mn_sinks_refund(few, sink);
            CHECK(charge_new(few, &sink) == 0, "%u", rows[i].n_descriptors);
        }
        mn_sinks_end_all(few);
        mn_sinks_free(few);
        mn_quota_free(small); /* nothing is charged any more */
    }
}

static CU_TestInfo life_tests[] = {
    { "one sink for an eventfd", test_one_sink_for_an_eventfd },
    { "the last refund ends it", test_the_last_refund_ends_it },
    { "the end of a process", test_the_end_of_a_process },
    { "a turn costs no more for many", test_a_turn_costs_no_more_for_many },
    { "a process that ended unnoticed", test_a_process_that_ended_unnoticed },
    { "a closed eventfd is noticed by the same user", test_a_closed_eventfd },
    { "another eventfd under the number", test_another_eventfd_under_the_number },
    { "an eventfd under another number", test_an_eventfd_under_another_number },
    { "all end at the end", test_all_end_at_the_end },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo number_tests[] = {
    { "a user has a quota", test_a_user_has_a_quota },
    { "what was closed makes room", test_what_was_closed_makes_room },
    { "closing is paid for by registering", test_closing_is_paid_for_by_registering },
    { "all together have a quota", test_all_together_have_a_quota },
    { "few descriptors", test_descriptors },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "life", NULL, NULL, set_up, tear_down, life_tests },
                              { "number", NULL, NULL, set_up, tear_down, number_tests },
                              CU_SUITE_INFO_NULL };

    return client_can_be_served() ? run_suites(suites) : 77;
}
