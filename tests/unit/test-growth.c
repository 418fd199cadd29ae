/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that come, grow, shrink and end, and give their numbers to others. */
#include "growth.h"
#include "runner.h"

#include <string.h>

typedef struct Seen {
    pid_t pid;
    guint64 start_ticks;
    guint64 inode;
    guint64 rss_pages;
} Seen;

#define TURN(...) turn((const Seen[]){ __VA_ARGS__, { 0 } })

static CmdGrowth growth;

static void set_up(void) {
    cmd_growth_init(&growth);
}

static void tear_down(void) {
    cmd_growth_clear(&growth);
}

/* Sees these processes. Returns how many of them had to be looked at more closely. */
static guint turn(const Seen *seen) {
    guint added = 0;

    cmd_growth_begin(&growth);
    for (; seen->pid != 0; seen++) {
        CmdProcess *process = cmd_growth_see(&growth, seen->pid, seen->inode);

        if (!process) {
            added++;
            process = cmd_growth_add(&growth, seen->pid, seen->start_ticks, seen->inode);
        }
        cmd_growth_measure(&growth, process, seen->rss_pages);
    }
    cmd_growth_end(&growth);
    return added;
}

/* "PID+GROWTH PID+GROWTH" */
static void check(guint most, const char *expected) {
    const CmdProcess *ranked[16];
    guint n = cmd_growth_rank(&growth, CMD_GROWTH_GROWN, most, ranked);
    g_autoptr(GString) shown = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        g_string_append_printf(shown, "%s%d+%d", i > 0 ? " " : "", ranked[i]->pid,
                               (int)(ranked[i]->rss_pages - ranked[i]->first_rss_pages));
    CHECK(strcmp(shown->str, expected) == 0, "'%s' is not '%s'", shown->str, expected);
}

static void test_who_was_there_grows_from_what_he_had(void) {
    TURN({ 1, 10, 101, 50 }, { 2, 10, 102, 500 }, { 3, 10, 103, 70 });
    check(9, "");
    TURN({ 1, 10, 101, 55 }, { 2, 10, 102, 510 }, { 3, 10, 103, 60 });
    check(9, "2+10 1+5");
    TURN({ 1, 10, 101, 90 }, { 2, 10, 102, 510 }, { 3, 10, 103, 60 });
    check(9, "1+40 2+10");
}

static void test_who_comes_later_grows_from_nothing(void) {
    TURN({ 1, 10, 101, 50 });
    TURN({ 1, 10, 101, 50 }, { 2, 20, 102, 7 });
    check(9, "2+7");
    TURN({ 1, 10, 101, 50 }, { 2, 20, 102, 3 });
    check(9, "2+3");
}

static void test_only_those_that_grew_most_are_listed(void) {
    TURN({ 9, 10, 109, 1 });
    TURN({ 1, 20, 101, 3 }, { 2, 20, 102, 5 }, { 3, 20, 103, 4 }, { 4, 20, 104, 1 }, { 5, 20, 105, 2 });
    check(0, "");
    check(1, "2+5");
    check(3, "2+5 3+4 1+3");
    check(5, "2+5 3+4 1+3 5+2 4+1");
}

static void test_who_has_more_is_first_among_equals(void) {
    TURN({ 1, 10, 101, 10 }, { 2, 10, 102, 30 }, { 3, 10, 103, 20 }, { 4, 10, 104, 20 });
    TURN({ 1, 10, 101, 15 }, { 2, 10, 102, 35 }, { 3, 10, 103, 25 }, { 4, 10, 104, 25 });
    check(9, "2+5 4+5 3+5 1+5");
}

static void test_who_has_ended_is_not_listed(void) {
    TURN({ 1, 10, 101, 50 }, { 2, 10, 102, 50 });
    TURN({ 1, 10, 101, 60 }, { 2, 10, 102, 70 });
    TURN({ 1, 10, 101, 60 });
    check(9, "1+10");
    CU_ASSERT_EQUAL(g_hash_table_size(growth.processes), 1);
}

static void test_who_gets_a_number_is_another(void) {
    TURN({ 1, 10, 101, 50 });
    CU_ASSERT_EQUAL(TURN({ 1, 30, 201, 20 }), 1);
    check(9, "1+20");
}

/* The kernel forgets inodes, and makes new ones for the same processes. */
static void test_a_new_inode_is_the_same_process(void) {
    CU_ASSERT_EQUAL(TURN({ 1, 10, 101, 50 }), 1);
    CU_ASSERT_EQUAL(TURN({ 1, 10, 101, 52 }), 0);
    CU_ASSERT_EQUAL(TURN({ 1, 10, 301, 55 }), 1);
    check(9, "1+5");
    CU_ASSERT_EQUAL(TURN({ 1, 10, 301, 57 }), 0);
    check(9, "1+7");
}

static void test_who_is_dropped_is_looked_at_anew(void) {
    const CmdProcess *ranked[1];

    TURN({ 1, 10, 101, 50 });
    TURN({ 1, 10, 101, 60 });
    CU_ASSERT_EQUAL_FATAL(cmd_growth_rank(&growth, CMD_GROWTH_GROWN, 1, ranked), 1);
    cmd_growth_drop(&growth, ranked[0]);
    check(9, "");
    CU_ASSERT_EQUAL(TURN({ 1, 30, 101, 8 }), 1);
    check(9, "1+8");
}

static void test_it_can_begin_anew(void) {
    TURN({ 1, 10, 101, 50 });
    TURN({ 1, 10, 101, 60 }, { 2, 20, 102, 10 });
    cmd_growth_restart(&growth);
    check(9, "");
    TURN({ 1, 10, 101, 60 }, { 2, 20, 102, 10 });
    check(9, "");
    TURN({ 1, 10, 101, 61 }, { 2, 20, 102, 9 });
    check(9, "1+1");
}

static CU_TestInfo tests[] = {
    { "who was there grows from what he had", test_who_was_there_grows_from_what_he_had },
    { "who comes later grows from nothing", test_who_comes_later_grows_from_nothing },
    { "only those that grew most are listed", test_only_those_that_grew_most_are_listed },
    { "who has more is first among equals", test_who_has_more_is_first_among_equals },
    { "who has ended is not listed", test_who_has_ended_is_not_listed },
    { "who gets a number is another", test_who_gets_a_number_is_another },
    { "a new inode is the same process", test_a_new_inode_is_the_same_process },
    { "who is dropped is looked at anew", test_who_is_dropped_is_looked_at_anew },
    { "it can begin anew", test_it_can_begin_anew },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "growth", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
