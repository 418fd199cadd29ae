/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is sent away while there are too many. Each visitor is one end of a pair of sockets; the other sees it. */
#include "visitors.h"
#include "runner.h"

#include <sys/socket.h>
#include <unistd.h>

#define MOST 4

typedef struct Guest {
    int end;
    ExpVisitor *visitor;
} Guest;

static ExpVisitors visitors;

static Guest come(void) {
    int ends[2];
    Guest guest;

    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    guest = (Guest){ .end = ends[1], .visitor = exp_visitors_add(&visitors, ends[0]) };
    return guest;
}

static gboolean is_away(const Guest *guest) {
    char byte;

    return recv(guest->end, &byte, 1, MSG_DONTWAIT) == 0;
}

static void go(const Guest *guest) {
    int fd = guest->visitor->fd;

    exp_visitors_remove(&visitors, guest->visitor);
    close(fd);
    close(guest->end);
}

static void fill(Guest *guests) {
    exp_visitors_init(&visitors, MOST);
    for (guint i = 0; i < MOST; i++)
        guests[i] = come();
}

static void clear(const Guest *guests) {
    for (guint i = 0; i < MOST; i++)
        go(&guests[i]);
    CU_ASSERT_EQUAL(visitors.n, 0);
    CU_ASSERT_EQUAL(visitors.n_exempt, 0);
    CU_ASSERT_EQUAL(visitors.waiting.length, 0);
}

static guint count_away(const Guest *guests) {
    guint n = 0;

    for (guint i = 0; i < MOST; i++)
        n += is_away(&guests[i]) ? 1 : 0;
    return n;
}

static void test_room(void) {
    Guest guests[MOST];

    fill(guests);
    CU_ASSERT_EQUAL(count_away(guests), 0);
    clear(guests);
}

static void test_first(void) {
    Guest guests[MOST], other;

    fill(guests);
    other = come();
    CU_ASSERT(is_away(&guests[0]));
    CU_ASSERT_EQUAL(count_away(guests), 1);
    CU_ASSERT(!is_away(&other));
    go(&other);
    clear(guests);
}

/* Each makes place for one only, also before the server has closed him. */
static void test_several(void) {
    Guest guests[MOST], others[MOST];

    fill(guests);
    for (guint i = 0; i < MOST; i++) {
        others[i] = come();
        CU_ASSERT_EQUAL(count_away(guests), i + 1);
        CU_ASSERT(is_away(&guests[i]));
    }
    CU_ASSERT_EQUAL(count_away(others), 0);
    for (guint i = 0; i < MOST; i++)
        go(&others[i]);
    clear(guests);
}

static void test_renewed(void) {
    Guest guests[MOST], other;

    fill(guests);
    exp_visitors_renew(&visitors, guests[0].visitor);
    other = come();
    CU_ASSERT(!is_away(&guests[0]));
    CU_ASSERT(is_away(&guests[1]));
    go(&other);
    clear(guests);
}

static void test_gone(void) {
    Guest guests[MOST];

    fill(guests);
    go(&guests[0]);
    guests[0] = come();
    CU_ASSERT_EQUAL(count_away(guests), 0);
    clear(guests);
}

static void test_exempt(void) {
    Guest guests[MOST], other;

    fill(guests);
    CU_ASSERT(exp_visitors_exempt(&visitors, guests[0].visitor));
    other = come();
    CU_ASSERT(!is_away(&guests[0]));
    CU_ASSERT(is_away(&guests[1]));
    go(&other);
    clear(guests);
}

/* So that there is room for others. */
static void test_many_exempt(void) {
    Guest guests[MOST], other;

    fill(guests);
    for (guint i = 0; i < MOST / 2; i++)
        CU_ASSERT(exp_visitors_exempt(&visitors, guests[i].visitor));
    CU_ASSERT(!exp_visitors_exempt(&visitors, guests[MOST / 2].visitor));
    other = come();
    CU_ASSERT(!is_away(&other));
    CU_ASSERT(is_away(&guests[MOST / 2]));
    go(&other);
    go(&guests[0]);
    guests[0] = come();
    CU_ASSERT(exp_visitors_exempt(&visitors, guests[0].visitor));
    clear(guests);
}

static CU_TestInfo tests[] = {
    { "there is room", test_room },
    { "who came first goes", test_first },
    { "one goes for each that comes", test_several },
    { "who was answered begins anew", test_renewed },
    { "who has gone makes room", test_gone },
    { "who is exempt stays", test_exempt },
    { "half of all can be exempt", test_many_exempt },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "visitors", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
