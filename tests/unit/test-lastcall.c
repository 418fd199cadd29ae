/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is told that his control group is about to be killed. The group "/" has everybody, and another nobody. */
#include "board/lastcall.h"

#include "runner.h"
#include "world.h"

#include <string.h>
#include <unistd.h>

#define NOT_MADE (-1000)

typedef struct Client {
    MnMember member;
    pid_t pid;
    gboolean wants_it;
    guint n_told;
    gint64 time_us;
} Client;

static World *world;
static MnQuota *quota;
static MnHelper *helper;
static MnLastCall *last_call;
static int n_made;

static void set_up(void) {
    world = world_new("debian-6.1");
    quota = mn_quota_new(0, 100);
    helper = mn_helper_new(&mn_machine_clock, quota);
    last_call = mn_last_call_new(world->board, helper);
    n_made = NOT_MADE;
}

static void tear_down(void) {
    mn_last_call_free(last_call);
    mn_helper_free(helper);
    mn_quota_free(quota);
    world_free(world);
}

static gboolean on_called(MnMember *member, const MnEvent *event) {
    Client *self = (Client *)member;

    CU_ASSERT_EQUAL(event->word, MN_EVENT_LAST_CALL);
    self->n_told += self->wants_it;
    self->time_us = event->time_us;
    return self->wants_it;
}

static void client_add(Client *self, pid_t pid, gboolean wants_it) {
    *self = (Client){ .pid = pid, .wants_it = wants_it };
    self->member = (MnMember){ .pid = &self->pid, .called = on_called };
    mn_last_call_add(last_call, &self->member);
}

static void on_made(int n, gpointer data) {
    *(int *)data = n;
}

static MnCalling *begin(const char *group) {
    MnCalling *calling = NULL;

    CU_ASSERT_EQUAL_FATAL(mn_last_call_make(last_call, 0, group, on_made, &n_made, &calling), 0);
    CU_ASSERT_EQUAL(n_made, NOT_MADE); /* never from within */
    return calling;
}

static int make(const char *group) {
    n_made = NOT_MADE;
    begin(group);
    mn_helper_settle(helper);
    return n_made;
}

static void test_members(void) {
    Client ours, unknown, gone, deaf;
    gint64 before_us = mn_clock_now_us(mn_board_get_clock(world->board));

    CU_ASSERT_EQUAL(make("/"), 0);
    client_add(&ours, getpid(), TRUE);
    client_add(&unknown, 0, TRUE);
    client_add(&gone, G_MAXINT, TRUE);
    client_add(&deaf, getpid(), FALSE);
    CU_ASSERT_EQUAL(make("/"), 1);
    CU_ASSERT_EQUAL(ours.n_told, 1);
    CU_ASSERT(ours.time_us >= before_us);
    CU_ASSERT_EQUAL(unknown.n_told + gone.n_told + deaf.n_told, 0);
    CU_ASSERT_EQUAL(make("/no/such/group"), 0);
    CU_ASSERT_EQUAL(ours.n_told, 1);

    ours.pid = 0; /* somebody else reads it now, whom we do not see */
    CU_ASSERT_EQUAL(make("/"), 0);
    mn_last_call_remove(last_call, &ours.member);
    mn_last_call_remove(last_call, &unknown.member);
    mn_last_call_remove(last_call, &gone.member);
    mn_last_call_remove(last_call, &deaf.member);
    CU_ASSERT_EQUAL(make("/"), 0);
}

/* Who leaves while it is found out who is concerned is not told, and who comes then with the same process is. */
static void test_changes_meanwhile(void) {
    Client one, two, late;

    client_add(&one, getpid(), TRUE);
    client_add(&two, getpid(), TRUE);
    begin("/");
    mn_last_call_remove(last_call, &one.member);
    client_add(&late, getpid(), TRUE);
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(n_made, 2);
    CU_ASSERT(one.n_told == 0 && two.n_told == 1 && late.n_told == 1);
    mn_last_call_remove(last_call, &two.member);
    mn_last_call_remove(last_call, &late.member);
}

static void test_forgotten(void) {
    Client one;

    client_add(&one, getpid(), TRUE);
    mn_calling_forget(begin("/"));
    mn_helper_settle(helper);
    CU_ASSERT_EQUAL(n_made, NOT_MADE);
    CU_ASSERT_EQUAL(one.n_told, 0);
    mn_last_call_remove(last_call, &one.member);
}

static void test_many(void) {
    enum {
        N = 3000
    };
    g_autofree Client *clients = g_new0(Client, N);

    for (guint i = 0; i < N; i++)
        client_add(&clients[i], i % 3 == 0 ? getpid() : G_MAXINT, TRUE);
    CU_ASSERT_EQUAL(make("/"), N / 3);
    for (guint i = 0; i < N; i++)
        mn_last_call_remove(last_call, &clients[i].member);
}

static CU_TestInfo tests[] = {
    { "those are told whose process is in the group", test_members },
    { "who comes and goes meanwhile", test_changes_meanwhile },
    { "a call that is forgotten", test_forgotten },
    { "many", test_many },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "last call", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
