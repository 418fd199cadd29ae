/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/event.h"
#include "runner.h"

#include <string.h>

static void test_lines(void) {
    static const struct {
        MnEvent event;
        const char *name;
        const char *expected;
    } rows[] = {
        { { 12345678, 4945700, 4945632, MN_METER_USED, MN_EVENT_REACHED },
          "low",
          "12.345678 low used reached 4945700 4945632\n" },
        { { 12345678, 1, 2, MN_METER_SWAP_FREE, MN_EVENT_LEFT }, "x", "12.345678 x swap_free left 1 2\n" },
        { { 999999, 0, 1, MN_METER_USED, MN_EVENT_REACHED }, "a", "0.999999 a used reached 0 1\n" },
        { { 1000000, 0, 1, MN_METER_USED, MN_EVENT_REACHED }, "a", "1.000000 a used reached 0 1\n" },
        { { 1000001, 0, 1, MN_METER_USED, MN_EVENT_REACHED }, "", "1.000001 - used reached 0 1\n" },
        { { 1000001, 3, 2, MN_METER_TOTAL, MN_EVENT_CHANGED }, "", "1.000001 - total changed 3 2\n" },
        { { 1, 0, 0, 0, MN_EVENT_REMOVED }, "", "0.000001 - - removed\n" },
        { { 2, 0, 0, 0, MN_EVENT_LAST_CALL }, "", "0.000002 - - last_call\n" },
        { { 2, 0, 0, 0, MN_EVENT_RETURNED }, "", "0.000002 - - returned\n" },
        { { 3, 17, 0, 0, MN_EVENT_LOST }, "", "0.000003 - - lost 17\n" },
        { { 1, 0, 1, MN_METER_USED, MN_EVENT_REACHED }, "caf\xc3\xa9", "0.000001 caf\xc3\xa9 used reached 0 1\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char line[MEMNOTIFYFS_EVENT_LINE_MAX];

        CU_ASSERT_EQUAL(mn_event_print(&rows[i].event, rows[i].name, line), strlen(rows[i].expected));
        CU_ASSERT_STRING_EQUAL(line, rows[i].expected);
    }
}

static void test_the_longest_line_fits(void) {
    MnEvent event = { G_MAXINT64, G_MAXUINT64, G_MAXUINT64, MN_METER_SLAB_RECLAIMABLE, MN_EVENT_REACHED };
    char name[MEMNOTIFYFS_NAME_MAX + 1] = "";
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    gsize len;

    memset(name, 'n', MEMNOTIFYFS_NAME_MAX);
    len = mn_event_print(&event, name, line);
    CU_ASSERT_EQUAL(len, strlen(line));
    CU_ASSERT_TRUE(len < MEMNOTIFYFS_EVENT_LINE_MAX);
    CU_ASSERT_TRUE(g_str_has_suffix(line, " 18446744073709551615 18446744073709551615\n"));
}

/* What was crossed is told by where the limit is, per cent resolved. */
static void test_an_edge(void) {
    const MnEdge edge = { .limit = { .meter = MN_METER_FREE, .micropercent = 1 }, .enter_pages = 20 };
    const MnReading reading = { .pages = { [MN_METER_FREE] = 19 } };
    MnEvent event = mn_event_of_edge(&edge, TRUE, &reading, 5);

    CU_ASSERT_EQUAL(event.time_us, 5);
    CU_ASSERT_EQUAL(event.value_pages, 19);
    CU_ASSERT_EQUAL(event.limit_pages, 20);
    CU_ASSERT_EQUAL(event.meter, MN_METER_FREE);
    CU_ASSERT_EQUAL(event.word, MN_EVENT_REACHED);
    CU_ASSERT_EQUAL(mn_event_of_edge(&edge, FALSE, &reading, 5).word, MN_EVENT_LEFT);
}

static CU_TestInfo tests[] = {
    { "lines", test_lines },
    { "the longest line fits", test_the_longest_line_fits },
    { "an edge", test_an_edge },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "event", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
