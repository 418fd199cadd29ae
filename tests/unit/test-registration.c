/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registrations for the whole system, whose memory is simulated, and for groups of plain files. What
 * the kernel tells, and what comes with a period, is in tests/integration and tests/vm. */
#include "client-process.h"
#include "core/cgroup.h"
#include "descriptors.h"
#include "hand-clock.h"
#include "plain-group.h"
#include "runner.h"
#include "memcg/registration.h"
#include "kernel/signaller.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define USER 1000
#define PAGE ((guint64)sysconf(_SC_PAGESIZE))

static World *world;
static char *directory; /* NULL: the whole system */
static MnMemcg *memcg;
static MnHelper *helper;
static MnQuota *quota;
static MnRegistrations *registrations;
static ClientProcess client;
static int event;
static guint n_removed, n_returned;

static void on_removed(gpointer data) {
    g_assert_true(data == &n_removed);
    n_removed++;
}

static void on_returned(gpointer data) {
    g_assert_true(data == &n_removed);
    n_returned++;
}

static void set_up(void) {
    n_removed = n_returned = 0;
    memcg = NULL;
    if (directory)
        g_assert_cmpint(mn_memcg_new(directory, &memcg), ==, 0);
    world = world_new_with("debian-6.1-zram", memcg);
    quota = mn_quota_new(0, 10000);
    helper = mn_helper_new(&mn_machine_clock, quota);
    world_simulate(world, "anon 1000 file 0 swap_used 0");
    client_start(&client);
    event = client_make_eventfd(&client);
    g_assert_cmpint(mn_registrations_new(world->board, quota, helper, &registrations), ==, 0);
    mn_registrations_set_presence(registrations, on_removed, on_returned, &n_removed);
}

static void tear_down(void) {
    g_clear_pointer(&helper, mn_helper_free);
    g_clear_pointer(&registrations, mn_registrations_free);
    g_clear_pointer(&quota, mn_quota_free);
    g_clear_pointer(&world, world_free);
    g_clear_pointer(&directory, plain_group_free);
    client_end(&client);
}

static void set_up_v1(void) {
    directory = plain_group_new(MN_CGROUP_V1);
    plain_group_put(directory, "cgroup.event_control", "");
    plain_group_put(directory, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
    plain_group_put(directory, "memory.pressure_level", "");
    set_up();
}

static void set_up_v2(void) {
    directory = plain_group_new(MN_CGROUP_V2);
    plain_group_put(directory, "memory.events", "oom 3\noom_kill 2\n");
    set_up();
}

/* What is to be signalled is, when the loop has had a few turns. */
static void turn(void) {
    for (guint i = 0; i < 4; i++)
        g_main_context_iteration(NULL, FALSE);
}

static int register_as(uid_t uid, int number, MnEventKind kind, const char *argument) {
    g_auto(MnSinkKey) key = client_key(&client, uid, number);

    return mn_registrations_add(registrations, &key, kind, argument, strlen(argument));
}

static int register_pages(int number, MnEventKind kind, guint64 pages) {
    g_autofree char *argument = g_strdup_printf("%" G_GUINT64_FORMAT, pages * PAGE);

    return register_as(USER, number, kind, argument);
}

static void set_usage(guint64 pages) {
    g_autofree char *text = g_strdup_printf("anon %" G_GUINT64_FORMAT, pages);

    if (directory)
        plain_group_put_pages(directory, mn_cgroup_names(mn_memcg_get_version(memcg))->usage, pages);
    else
        world_simulate(world, text);
    mn_board_read(world->board);
    turn();
}

static guint n_held(void) {
    return open_descriptors("[eventfd]");
}

/* --- thresholds of the system, and of a group ------------------------------------------------- */

static void test_both_directions(void) {
    static const guint64 thresholds[] = { 900, 1000, 1100, 1200, 1300 };
    static const struct {
        guint64 usage;
        guint64 expected;
    } rows[] = { { 1099, 0 }, { 1100, 1 }, { 1099, 1 }, { 1100, 1 }, { 1300, 2 }, { 1300, 0 }, { 999, 4 }, { 0, 1 } };

    for (guint i = 0; i < G_N_ELEMENTS(thresholds); i++)
        CHECK(register_pages(event, MN_EVENT_USAGE, thresholds[i]) == 0, "%u", i);
    turn();
    CU_ASSERT_EQUAL(client_count(&client, event), 0); /* whether above already or not */
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 counted;

        set_usage(rows[i].usage);
        counted = client_count(&client, event);
        CHECK(counted == rows[i].expected, "%u: %" G_GUINT64_FORMAT, i, counted);
    }
}

static void test_each_registration_counts(void) {
    int other = client_make_eventfd(&client);

    for (guint i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(register_pages(i < 150 ? event : other, MN_EVENT_USAGE, 1100), 0);
    set_usage(1200);
    CU_ASSERT_EQUAL(client_count(&client, event), 150);
    CU_ASSERT_EQUAL(client_count(&client, other), 50);
}

static void test_thresholds_that_cannot_be_crossed(void) {
    static const char *const arguments[] = { "0", "", "1", "-1", "8E" };

    for (guint i = 0; i < G_N_ELEMENTS(arguments); i++)
        CHECK(register_as(USER, event, MN_EVENT_USAGE, arguments[i]) == 0, "%s", arguments[i]);
    set_usage(0);
    set_usage(G_GUINT64_CONSTANT(1) << 40);
    set_usage(0);
    CU_ASSERT_EQUAL(client_count(&client, event), 0);
}

static void test_bad_arguments(void) {
    static const struct {
        MnEventKind kind;
        const char *argument;
    } rows[] = {
        { MN_EVENT_USAGE, "max" },
        { MN_EVENT_MEMSW, "1Mjunk" },
        { MN_EVENT_PRESSURE, "" },
        { MN_EVENT_PRESSURE, "LOW" },
    };
    guint before = n_held();

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(register_as(USER, event, rows[i].kind, rows[i].argument) == -EINVAL, "%s", rows[i].argument);
    CU_ASSERT_EQUAL(n_held(), before);
}

static void test_a_full_counter(void) {
    int full = client_make_eventfd(&client);

    CU_ASSERT_EQUAL(register_pages(full, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    client_fill(&client, full);
    for (guint i = 0; i < 4; i++) {
        set_usage(i % 2 == 0 ? 1200 : 1000);
        CU_ASSERT_EQUAL(client_count(&client, event), 1);
    }
    mn_registrations_free(registrations); /* signals all of them once more */
    registrations = NULL;
    CU_ASSERT_EQUAL(client_count(&client, event), 1);
    CU_ASSERT(client_count(&client, full) >= G_MAXUINT64 - 1);
}

/* Whoever has the eventfd from the client is told, once for each registration, and hears no more. */
static void test_the_end_of_a_client(void) {
    guint before = n_held();
    g_auto(MnSinkKey) key = client_key(&client, USER, event);
    eventfd_t value = 0;

    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_USAGE, "-1"), 0);
    client_kill(&client);
    while (n_held() > before + 1)
        g_main_context_iteration(NULL, TRUE);
    set_usage(1200);
    CU_ASSERT_EQUAL(eventfd_read(key.fd, &value), 0);
    CU_ASSERT_EQUAL(value, 2);
}

static void test_swap_counts_where_it_is_asked_for(void) {
    int memsw = client_make_eventfd(&client);

    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_pages(memsw, MN_EVENT_MEMSW, 1100), 0);
    world_simulate(world, "swap_used 200");
    turn();
    CU_ASSERT_EQUAL(client_count(&client, event), 0);
    CU_ASSERT_EQUAL(client_count(&client, memsw), 1);
}

/* --- where the kernel registers --------------------------------------------------------------- */

/* The eventfd of the last line that was written to the kernel's cgroup.event_control, or -1, and the
 * argument. A line ends with its NUL. */
static int last_line(char argument[32]) {
    g_autofree char *path = g_build_filename(directory, "cgroup.event_control", NULL);
    g_autofree char *text = NULL;
    int fd = -1, control;
    gsize len, begin;

    g_assert_true(g_file_get_contents(path, &text, &len, NULL));
    for (begin = len > 0 ? len - 1 : 0; begin > 0 && text[begin - 1] != '\0'; begin--)
        continue;
    *argument = '\0';
    (void)sscanf(text + begin, "%d %d %31s", &fd, &control, argument);
    return fd;
}

static void test_the_kernel_gets_the_eventfd(void) {
    static const struct {
        uid_t uid;
        MnEventKind kind;
        const char *argument;
    } rows[] = { { 0, MN_EVENT_USAGE, "8M" }, { 0, MN_EVENT_OOM, "dummy" }, { USER, MN_EVENT_PRESSURE, "low,local" } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char argument[32];

        CHECK(register_as(rows[i].uid, event, rows[i].kind, rows[i].argument) == 0, "%u", i);
        CHECK(eventfd_write(last_line(argument), i + 1) == 0, "%u", i);
        CHECK(strcmp(argument, rows[i].argument) == 0, "%s", argument);
        CHECK(client_count(&client, event) == i + 1, "%u", i);
    }
    set_usage(4000);
    CU_ASSERT_EQUAL(client_count(&client, event), 0); /* that is the kernel's to tell */
}

/* He would make us wait for the kernel. */
static void test_a_users_thresholds_are_ours(void) {
    char argument[32];

    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(last_line(argument), -1);
    set_usage(1200);
    CU_ASSERT_EQUAL(client_count(&client, event), 1);
}

static void test_the_removal_of_what_the_kernel_registered(void) {
    int own = client_make_eventfd(&client);

    CU_ASSERT_EQUAL(register_pages(own, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_as(0, event, MN_EVENT_OOM, ""), 0);
    plain_group_remove(directory);
    CU_ASSERT(mn_registrations_check_removed(registrations));
    CU_ASSERT_EQUAL(client_count(&client, own), 1);
    CU_ASSERT_EQUAL(client_count(&client, event), 0); /* the kernel has told */
}

static void set_up_refusing(void) {
    g_autofree char *path = NULL;

    directory = plain_group_new(MN_CGROUP_V1);
    path = g_build_filename(directory, "cgroup.event_control", NULL);
    g_assert_cmpint(symlink("/dev/full", path), ==, 0);
    set_up();
}

static void test_an_error_of_the_kernels(void) {
    guint before = n_held();

    CU_ASSERT_EQUAL(register_as(0, event, MN_EVENT_USAGE, "8M"), -ENOSPC);
    CU_ASSERT_EQUAL(register_as(0, event, MN_EVENT_OOM, ""), -ENOENT); /* no such file */
    CU_ASSERT_EQUAL(n_held(), before);
}

/* --- on v2 ------------------------------------------------------------------------------------ */

static void test_every_kind(void) {
    guint before = n_held();

    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_OOM, ""), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_PRESSURE, "medium"), 0);
    CU_ASSERT_EQUAL(n_held(), before + 1);
    set_usage(1200);
    CU_ASSERT_EQUAL(client_count(&client, event), 1);
}

static void test_what_the_kernel_lacks(void) {
    g_autofree char *path = g_build_filename(directory, "memory.events", NULL);
    guint before = n_held();

    CU_ASSERT_EQUAL_FATAL(remove(path), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_OOM, ""), -ENOENT);
    CU_ASSERT_EQUAL(n_held(), before);
}

static void test_removal(void) {
    int other = client_make_eventfd(&client);
    guint before = n_held();

    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_OOM, ""), 0);
    CU_ASSERT_EQUAL(register_as(USER, event, MN_EVENT_USAGE, "-1"), 0);
    CU_ASSERT_EQUAL(register_as(USER, other, MN_EVENT_PRESSURE, "low"), 0);
    CU_ASSERT(!mn_registrations_check_removed(registrations));

    plain_group_remove(directory);
    CU_ASSERT(mn_registrations_check_removed(registrations));
    CU_ASSERT(mn_registrations_check_removed(registrations));
    CU_ASSERT_EQUAL(n_removed, 1);
    CU_ASSERT_EQUAL(client_count(&client, event), 3);
    CU_ASSERT_EQUAL(client_count(&client, other), 1);
    CU_ASSERT_EQUAL(n_held(), before);
    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), -ENODEV);

    plain_group_make(directory, MN_CGROUP_V2);
    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    CU_ASSERT_EQUAL(n_returned, 1);
    CU_ASSERT_EQUAL(n_removed, 1);
}

static void test_removal_is_noticed(void) {
    CU_ASSERT_EQUAL(register_pages(event, MN_EVENT_USAGE, 1100), 0);
    plain_group_remove(directory);
    while (n_removed == 0)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(client_count(&client, event), 1);
}

static CU_TestInfo system_tests[] = {
    { "both directions", test_both_directions },
    { "each registration counts", test_each_registration_counts },
    { "thresholds that cannot be crossed", test_thresholds_that_cannot_be_crossed },
    { "bad arguments leave nothing", test_bad_arguments },
    { "a full counter stops nobody", test_a_full_counter },
    { "the end of a client", test_the_end_of_a_client },
    { "swap counts where it is asked for", test_swap_counts_where_it_is_asked_for },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo v1_tests[] = {
    { "the kernel gets the client's eventfd", test_the_kernel_gets_the_eventfd },
    { "a user's thresholds are ours", test_a_users_thresholds_are_ours },
    { "the removal of what the kernel registered", test_the_removal_of_what_the_kernel_registered },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo refusing_tests[] = {
    { "an error of the kernel's leaves nothing", test_an_error_of_the_kernels },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo v2_tests[] = {
    { "both directions", test_both_directions },
    { "every kind", test_every_kind },
    { "what the kernel lacks", test_what_the_kernel_lacks },
    { "when the group is removed, each is told once", test_removal },
    { "the removal is noticed", test_removal_is_noticed },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "system", NULL, NULL, set_up, tear_down, system_tests },
                              { "v1", NULL, NULL, set_up_v1, tear_down, v1_tests },
                              { "v1 that refuses", NULL, NULL, set_up_refusing, tear_down, refusing_tests },
                              { "v2", NULL, NULL, set_up_v2, tear_down, v2_tests },
                              CU_SUITE_INFO_NULL };
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;

    if (mn_signaller_new(outbox, &signaller) < 0 || mn_signaller_prepare(signaller) < 0) {
        printf("the kernel gives no AIO context\n0 passed, 0 failed, 1 skipped\n");
        return 77;
    }
    g_clear_pointer(&signaller, mn_signaller_free);
    return client_can_be_served() ? run_suites(suites) : 77;
}
