/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes of a recording, whose text may be anything. */
#include "growers.h"
#include "runner.h"

#include <string.h>

static CmdGrowers *growers;

static void set_up(void) {
    growers = cmd_growers_new();
}

static void tear_down(void) {
    cmd_growers_free(growers);
}

static void see(gint64 time_us, const char *text) {
    cmd_growers_see(growers, time_us, text, strlen(text));
}

static void test_lines(void) {
    static const struct {
        const char *text;
        guint n;
    } rows[] = {
        { "", 0 },
        { "\n\n", 0 },
        { "1 2 3 name\n", 1 },
        { "1 2 3 name", 1 },
        { "1 2 3 two words\n", 1 },
        { "1 2 3\n", 0 },
        { "1 2 3 \n", 0 },
        { "-1 2 3 name\n", 0 },
        { "1 2 name\n", 0 },
        { "1  2 3 name\n", 0 },
        { "x\n1 2 3 y", 1 },
        { "1 18446744073709551616 3 name\n", 0 },
        { "1 2 3 a\n2 3 4 b\n", 2 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *at = rows[i].text, *end = at + strlen(at);
        CmdProcessLine line;
        guint n = 0;

        while (cmd_process_line_next(&at, end, &line))
            n++;
        CHECK(n == rows[i].n && at == end, "'%s'", rows[i].text);
    }
}

static void test_sums_stop(void) {
    const char *text = "1 18446744073709551615 5 name\n", *at = text;
    CmdProcessLine line = { 0 };

    CU_ASSERT(cmd_process_line_next(&at, text + strlen(text), &line));
    CU_ASSERT(line.bytes == G_MAXUINT64);
}

/* Those that came later have grown from nothing. */
static void test_ranking(void) {
    static const struct {
        guint64 pid, first, peak, last;
    } rows[] = { { 3, 700, 700, 700 }, { 1, 100, 600, 200 }, { 2, 900, 950, 950 } };
    g_autoptr(GPtrArray) ranked = NULL;

    see(0, "1 100 0 a\n2 900 0 b\n4 50 0 d\n");
    see(5, "1 500 100 a\n2 900 10 b\n3 700 0 c\n4 40 0 d\n");
    see(9, "1 100 100 a\n2 900 50 b\n");
    ranked = cmd_growers_rank(growers, 10);
    CU_ASSERT_FATAL(ranked->len == G_N_ELEMENTS(rows));
    for (guint i = 0; i < ranked->len; i++) {
        const CmdGrower *grower = g_ptr_array_index(ranked, i);

        CHECK(grower->pid == rows[i].pid && grower->first_bytes == rows[i].first &&
                  grower->peak_bytes == rows[i].peak && grower->last_bytes == rows[i].last,
              "place %u", i);
        CHECK(grower->last_us == (grower->pid == 3 ? 5 : 9), "place %u", i);
    }
}

static void test_a_number_given_again_is_another_process(void) {
    g_autoptr(GPtrArray) ranked = NULL;

    see(0, "1 100 0 a\n");
    see(1, "1 300 0 b\n");
    see(2, "1 500 0 b\n");
    ranked = cmd_growers_rank(growers, 10);
    CU_ASSERT_FATAL(ranked->len == 1);
    CU_ASSERT_STRING_EQUAL(((const CmdGrower *)g_ptr_array_index(ranked, 0))->name, "b");
}

static void test_no_more_than_asked_for(void) {
    g_autoptr(GPtrArray) ranked = NULL;

    see(0, "");
    see(1, "1 1 0 a\n2 2 0 b\n3 3 0 c\n");
    ranked = cmd_growers_rank(growers, 2);
    CU_ASSERT_FATAL(ranked->len == 2);
    CU_ASSERT(((const CmdGrower *)g_ptr_array_index(ranked, 0))->pid == 3);
}

int main(void) {
    CU_TestInfo tests[] = {
        { "lines", test_lines },
        { "sums stop", test_sums_stop },
        { "ranking", test_ranking },
        { "a number given again is another process", test_a_number_given_again_is_another_process },
        { "no more than asked for", test_no_more_than_asked_for },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "growers", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
