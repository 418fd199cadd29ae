/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that wait, as the kernel writes them. */
#include "fs/requests.h"

#include "runner.h"

#include <errno.h>
#include <linux/fuse.h>
#include <unistd.h>

enum {
    OWNER = 77777,
    ANNA,
    BERT,
};

typedef struct Message {
    struct fuse_in_header header;
    struct fuse_interrupt_in in;
} Message;

static MnQuota *quota;
static MnRequests *requests;
static GString *served; /* the numbers, interrupts with an i */

static void set_up(void) {
    quota = mn_quota_new(OWNER, 1);
    requests = mn_requests_new(quota);
    served = g_string_new(NULL);
}

static void tear_down(void) {
    mn_requests_free(requests);
    mn_quota_free(quota); /* demands that nothing is held */
    g_string_free(served, TRUE);
}

static Message message(guint32 opcode, guint64 unique, uid_t uid) {
    return (Message){ { .len = sizeof(Message), .opcode = opcode, .unique = unique, .uid = uid }, { 0 } };
}

static int put(guint64 unique, uid_t uid) {
    Message read = message(FUSE_READ, unique, uid);

    CU_ASSERT_FALSE(mn_requests_is_urgent(requests, &read));
    return mn_requests_put(requests, &read, sizeof read);
}

static Message interrupt(guint64 unique) {
    Message result = message(FUSE_INTERRUPT, 1000 + unique, 0);

    result.in.unique = unique;
    return result;
}

static void serve(gpointer data, gpointer request, gsize len) {
    const Message *given = request;

    CU_ASSERT_PTR_EQUAL(data, served);
    CU_ASSERT(len >= sizeof *given);
    if (given->header.opcode == FUSE_INTERRUPT)
        g_string_append_printf(served, "i%" G_GUINT64_FORMAT " ", (guint64)given->in.unique);
    else
        g_string_append_printf(served, "%" G_GUINT64_FORMAT " ", (guint64)given->header.unique);
}

static void assert_order(const char *order) {
    while (mn_requests_serve_next(requests, serve, served))
        continue;
    CU_ASSERT_FALSE(mn_requests_are_waiting(requests));
    CU_ASSERT_STRING_EQUAL(served->str, order);
}

static void test_users_take_turns(void) {
    CU_ASSERT_FALSE(mn_requests_are_waiting(requests));
    for (guint64 unique = 1; unique <= 4; unique++)
        CU_ASSERT_EQUAL(put(unique, ANNA), 0);
    CU_ASSERT_EQUAL(put(5, BERT), 0);
    CU_ASSERT_EQUAL(put(6, 0), 0);
    CU_ASSERT_EQUAL(put(7, BERT), 0);
    CU_ASSERT_TRUE(mn_requests_are_waiting(requests));
    assert_order("1 5 6 2 7 3 4 ");
}

static void test_who_comes_later_has_the_next_turn(void) {
    for (guint64 unique = 1; unique <= 4; unique++)
        CU_ASSERT_EQUAL(put(unique, ANNA), 0);
    CU_ASSERT_TRUE(mn_requests_serve_next(requests, serve, served));
    CU_ASSERT_EQUAL(put(5, BERT), 0);
    CU_ASSERT_TRUE(mn_requests_serve_next(requests, serve, served));
    assert_order("1 5 2 3 4 ");
}

static void test_an_interrupt_comes_after_its_request(void) {
    Message first = interrupt(2), again = interrupt(2);

    CU_ASSERT_EQUAL(put(1, ANNA), 0);
    CU_ASSERT_EQUAL(put(2, ANNA), 0);
    CU_ASSERT_EQUAL(put(3, BERT), 0);
    CU_ASSERT_FALSE(mn_requests_is_urgent(requests, &first));
    CU_ASSERT_EQUAL(mn_requests_put(requests, &first, sizeof first), 0);
    CU_ASSERT_EQUAL(mn_requests_put(requests, &again, sizeof again), 0);
    assert_order("1 3 2 i2 ");
}

static void test_what_does_not_wait(void) {
    static const guint32 opcodes[] = { FUSE_RELEASE, FUSE_RELEASEDIR, FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_INIT };
    Message late = interrupt(1);

    CU_ASSERT_EQUAL(put(1, ANNA), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        Message given = message(opcodes[i], 2, ANNA);

        CU_ASSERT_TRUE(mn_requests_is_urgent(requests, &given));
    }
    CU_ASSERT_FALSE(mn_requests_is_urgent(requests, &late));
    assert_order("1 ");
    CU_ASSERT_TRUE(mn_requests_is_urgent(requests, &late)); /* it is with those who serve it */
}

static void test_who_has_too_many_is_refused(void) {
    guint64 unique = 0;

    while (unique < MN_REQUESTS_PER_USER_MAX)
        CU_ASSERT_EQUAL_FATAL(put(++unique, ANNA), 0);
    CU_ASSERT_EQUAL(put(++unique, ANNA), -EDQUOT);
    CU_ASSERT_EQUAL(put(++unique, BERT), 0);
    CU_ASSERT_TRUE(mn_requests_serve_next(requests, serve, served));
    CU_ASSERT_EQUAL(put(++unique, ANNA), 0);
}

static void test_long_ones_are_charged_with_their_bytes(void) {
    gsize len = MN_BYTES_PER_USER_MAX / 4;
    g_autofree Message *write = g_malloc0(len);

    for (guint64 unique = 1; unique <= 4; unique++) {
        *write = message(FUSE_WRITE, unique, ANNA);
        CU_ASSERT_EQUAL(mn_requests_put(requests, write, len), 0);
    }
    CU_ASSERT_EQUAL(mn_requests_put(requests, write, len), -EDQUOT);
    CU_ASSERT_EQUAL(put(5, ANNA), 0);
    assert_order("1 2 3 4 5 ");
}

static void test_those_that_wait_can_be_forgotten(void) {
    CU_ASSERT_EQUAL(put(1, ANNA), 0);
    CU_ASSERT_EQUAL(put(2, ANNA), 0);
    CU_ASSERT_EQUAL(put(3, BERT), 0); /* tear_down() does it */
}

static void test_a_refusal(void) {
    Message refused = message(FUSE_READ, 42, ANNA);
    struct fuse_out_header answer;
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    mn_request_refuse(&refused, fds[1], -EDQUOT);
    CU_ASSERT_EQUAL_FATAL(read(fds[0], &answer, sizeof answer), sizeof answer);
    CU_ASSERT_EQUAL(answer.len, sizeof answer);
    CU_ASSERT_EQUAL(answer.error, -EDQUOT);
    CU_ASSERT_EQUAL(answer.unique, 42);
    close(fds[0]);
    close(fds[1]);
}

static CU_TestInfo tests[] = {
    { "users take turns", test_users_take_turns },
    { "who comes later has the next turn", test_who_comes_later_has_the_next_turn },
    { "an interrupt comes after its request", test_an_interrupt_comes_after_its_request },
    { "what does not wait", test_what_does_not_wait },
    { "who has too many is refused", test_who_has_too_many_is_refused },
    { "long ones are charged with their bytes", test_long_ones_are_charged_with_their_bytes },
    { "those that wait can be forgotten", test_those_that_wait_can_be_forgotten },
    { "a refusal", test_a_refusal },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "requests", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
