/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection by a pair of sockets, and descriptors that its client sends. */
#include "descriptors.h"
#include "hand-clock.h"
#include "kernel/passing.h"
#include "runner.h"
#include "socket/disposal.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOO_MUCH "error ENFILE: the server has no room for more\n"
#define NOT_TAKEN "error EPROTO: descriptors are not taken\n"

static World *world;
static MnQuota *quota;
static MnHelper *helper;
static MnLastCall *last_call;
static MnDisposal *disposal;
static MnConnectionServices services;
static MnConnection *connection;
static HandClock hand;
static int client = -1;
static guint n_needs_room, n_done, n_before;

static void count_needs_room(MnConnection *self G_GNUC_UNUSED) {
    n_needs_room++;
}

static void ignore_change(MnConnection *self G_GNUC_UNUSED) {
}

static void note_done(MnConnection *self) {
    self->disposal = NULL;
    n_done++;
}

static void set_up_with(guint n_descriptors) {
    int pair[2];

    (void)g_main_context_default(); /* has a descriptor of its own */
    n_before = open_descriptors("");
    world = world_new("debian-6.1");
    hand = (HandClock)HAND_CLOCK;
    quota = mn_quota_new(0, n_descriptors);
    helper = mn_helper_new(&mn_machine_clock, quota);
    last_call = mn_last_call_new(world->board, helper);
    disposal = mn_disposal_new(helper, &hand.clock, note_done);
    services = (MnConnectionServices){ .board = world->board,
                                       .last_call = last_call,
                                       .quota = quota,
                                       .needs_room = count_needs_room,
                                       .changed = ignore_change };
    n_needs_room = n_done = 0;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==, 0);
    client = pair[0];
    connection = mn_connection_new(&services, pair[1], 0);
}

static void set_up(void) {
    set_up_with(100);
}

static void tear_down(void) {
    mn_connection_free(connection);
    mn_last_call_free(last_call);
    mn_disposal_free(disposal);
    mn_helper_free(helper);
    mn_quota_free(quota);
    world_free(world);
    close(client);
    CU_ASSERT_EQUAL(open_descriptors(""), n_before);
}

static void say(const char *text) {
    g_assert_cmpint(send(client, text, strlen(text), 0), ==, strlen(text));
}

/* All that has come. */
static const char *hear(void) {
    static char text[8192];
    ssize_t n;

    n = recv(client, text, sizeof text - 1, 0);
    text[MAX(n, 0)] = '\0';
    return text;
}

static MnProgress serve_all(void) {
    MnProgress progress;

    do
        progress = mn_connection_serve(connection);
    while (progress == MN_PROGRESS_MORE);
    return progress;
}

/* Sends the only copy of the end of a pipe, whose other end tells when that is closed. */
static int send_descriptor(const char *text) {
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    g_assert_cmpint(mn_pass(client, NULL, 0, text, strlen(text), fds[1]), ==, 0);
    close(fds[1]);
    return fds[0];
}

static gboolean has_been_let_go(int fd) {
    char byte;

    return read(fd, &byte, 1) == 0;
}

static struct rlimit limit;

/* Nothing more can be opened, until mend_limit(). */
static void lower_limit(void) {
    struct rlimit lower;
    int next = fcntl(client, F_DUPFD_CLOEXEC, 0);

    close(next);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    lower = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &lower), ==, 0);
}

static void mend_limit(void) {
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
}

static void test_one_thing_at_a_turn(void) {
    set_up();
    say("watch used 5\nwatch nonsense\nquit\nread\n");
    CU_ASSERT_EQUAL(mn_connection_serve(connection), MN_PROGRESS_MORE); /* has read */
    CU_ASSERT_STRING_EQUAL(hear(), "");
    CU_ASSERT_EQUAL(mn_connection_serve(connection), MN_PROGRESS_MORE);
    CU_ASSERT_STRING_EQUAL(hear(), "ok\n");
    CU_ASSERT_EQUAL(mn_connection_serve(connection), MN_PROGRESS_MORE);
    CU_ASSERT_STRING_EQUAL(hear(), "error EINVAL: column 7: there is no meter of that name\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_NONE);
    CU_ASSERT_STRING_EQUAL(hear(), "");
    CU_ASSERT_TRUE(connection->is_ending);
    mn_connection_hang_up(connection);
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_OVER);
    tear_down();
}

static void test_no_further_request_before_there_is_room(void) {
    set_up();
    for (guint i = 0; i < 200; i++)
        say("read\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_STUCK);
    CU_ASSERT_PTR_NOT_NULL(connection->input);
    CU_ASSERT_EQUAL(mn_connection_serve(connection), MN_PROGRESS_STUCK);
    while (*hear())
        continue;
    CU_ASSERT_EQUAL(mn_connection_serve(connection), MN_PROGRESS_MORE);
    tear_down();
}

/* Who reads nothing is no reason to keep more than was said of him. */
static void test_who_is_told_and_does_not_read(void) {
    set_up();
    say("watch used 2000\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_NONE);
    for (guint i = 0; i < 100; i++) {
        world_simulate(world, i % 2 ? "used 1" : "used 2500");
        mn_outbox_flush(world->outbox);
    }
    CU_ASSERT_TRUE(n_needs_room > 0);
    CU_ASSERT_TRUE(connection->backlog.n_lost > 0);
    CU_ASSERT_TRUE(connection->wire.rest->len <= 1024);
    tear_down();
}

static void test_who_may_not_is_told_so(void) {
    set_up_with(0);
    CU_ASSERT_TRUE(connection->is_refused);
    CU_ASSERT_STRING_EQUAL(hear(), TOO_MUCH);
    say("read\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_OVER);
    CU_ASSERT_STRING_EQUAL(hear(), "");
    tear_down();
}

/* What the client sends after him is left where it is, and what has come with it is closed by another process. */
static void test_descriptors_are_let_go_of_elsewhere(void) {
    static const char *texts[] = { "read\n", "watch used", "nonsense\n" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        int fd;

        set_up();
        fd = send_descriptor(texts[i]);
        CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_FOUL);
        CU_ASSERT_STRING_EQUAL(hear(), NOT_TAKEN);
        CU_ASSERT_EQUAL(send(client, "x", 1, MSG_NOSIGNAL), -1);
        CU_ASSERT_FALSE(has_been_let_go(fd));
        mn_disposal_add(disposal, connection);
        CU_ASSERT_FALSE(has_been_let_go(fd));
        mn_helper_settle(helper);
        CU_ASSERT_EQUAL(n_done, 1);
        CU_ASSERT_TRUE(has_been_let_go(fd));
        close(fd);
        tear_down();
    }
}

static void test_what_was_read_before_is_answered(void) {
    int fd;

    set_up();
    say("watch used 5\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_NONE);
    fd = send_descriptor("read\n");
    mn_connection_hang_up(connection);
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_FOUL);
    CU_ASSERT_STRING_EQUAL(hear(), "ok\n");
    mn_disposal_add(disposal, connection);
    mn_helper_settle(helper);
    CU_ASSERT_TRUE(has_been_let_go(fd));
    close(fd);
    tear_down();
}

/* The helper cannot be started. It is asked again a second later, and not before. */
static void test_what_cannot_be_done_now_is_done_later(void) {
    int fd;

    set_up();
    fd = send_descriptor("read\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_FOUL);
    lower_limit();
    mn_disposal_add(disposal, connection);
    for (guint i = 0; i < 3; i++) {
        hand.now_us += 2 * G_TIME_SPAN_SECOND;
        g_main_context_iteration(NULL, FALSE);
    }
    mend_limit();
    g_main_context_iteration(NULL, FALSE);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(n_done, 0);
    hand.now_us += G_TIME_SPAN_SECOND;
    g_main_context_iteration(NULL, FALSE);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(n_done, 1);
    CU_ASSERT_TRUE(has_been_let_go(fd));
    close(fd);
    tear_down();
}

static void test_the_end_comes_first(void) {
    int fd;

    set_up();
    fd = send_descriptor("read\n");
    CU_ASSERT_EQUAL(serve_all(), MN_PROGRESS_FOUL);
    lower_limit();
    mn_disposal_add(disposal, connection);
    mn_disposal_remove(disposal, connection); /* while it waits */
    mend_limit();
    mn_disposal_add(disposal, connection);
    mn_disposal_remove(disposal, connection); /* while it is done */
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(n_done, 0);
    close(fd);
    tear_down();
}

static CU_TestInfo tests[] = {
    { "one thing at a turn", test_one_thing_at_a_turn },
    { "no further request before there is room", test_no_further_request_before_there_is_room },
    { "who is told and does not read", test_who_is_told_and_does_not_read },
    { "who may not is told so", test_who_may_not_is_told_so },
    { "descriptors are let go of elsewhere", test_descriptors_are_let_go_of_elsewhere },
    { "what was read before is answered", test_what_was_read_before_is_answered },
    { "what cannot be done now is done later", test_what_cannot_be_done_now_is_done_later },
    { "the end comes first", test_the_end_comes_first },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "connection", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
