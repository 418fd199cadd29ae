/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of crossings and its readers. */
#include "runner.h"
#include "sampler/eventlog.h"

#include <string.h>

#define N_KEPT 1024

static MnEvent event_number(guint64 n) {
    MnEvent event = { .time_us = (gint64)n, .value_pages = n, .limit_pages = 7, .name = "low" };

    return event;
}

static void append(MnEventLog *log, guint64 from, guint64 n) {
    for (guint64 i = from; i < from + n; i++) {
        MnEvent event = event_number(i);

        mn_event_log_append(log, &event);
    }
}

static void check_next(MnEventLog *log, guint64 *cursor, const char *expected) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX] = "";
    gsize len = mn_event_log_next(log, cursor, line);

    CHECK(len == strlen(expected), "%s", expected);
    CHECK(strncmp(line, expected, len) == 0, "%s instead of %s", line, expected);
}

static void test_lines(void) {
    static const struct {
        MnEvent event;
        const char *expected;
    } rows[] = {
        { { 12345678, 4945700, 4945632, MN_METER_USED, TRUE, "low" },
          "12.345678 low used reached 4945700 4945632\n" },
        { { 12345678, 1, 2, MN_METER_SWAP_FREE, FALSE, "x" }, "12.345678 x swap_free left 1 2\n" },
        { { 999999, 0, 1, MN_METER_USED, TRUE, "a" }, "0.999999 a used reached 0 1\n" },
        { { 1000000, 0, 1, MN_METER_USED, TRUE, "a" }, "1.000000 a used reached 0 1\n" },
        { { 1000001, 0, 1, MN_METER_USED, TRUE, "a" }, "1.000001 a used reached 0 1\n" },
        { { 1, 0, 1, MN_METER_USED, TRUE, "caf\xc3\xa9" }, "0.000001 caf\xc3\xa9 used reached 0 1\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnEventLog) log = mn_event_log_new();
        guint64 cursor = mn_event_log_get_end(log);

        mn_event_log_append(log, &rows[i].event);
        check_next(log, &cursor, rows[i].expected);
        check_next(log, &cursor, "");
    }
}

static void test_the_longest_line_fits(void) {
    MnEvent event = { G_MAXINT64, G_MAXUINT64, G_MAXUINT64, MN_METER_SLAB_RECLAIMABLE, TRUE, "" };
    g_autoptr(MnEventLog) log = mn_event_log_new();
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    guint64 cursor = 0;
    gsize len;

    memset(event.name, 'n', MEMNOTIFYFS_NAME_MAX);
    mn_event_log_append(log, &event);
    len = mn_event_log_next(log, &cursor, line);
    CU_ASSERT_EQUAL(len, strlen(line));
    CU_ASSERT_TRUE(len < MEMNOTIFYFS_EVENT_LINE_MAX);
    CU_ASSERT_TRUE(g_str_has_suffix(line, " 18446744073709551615 18446744073709551615\n"));
}

static void test_a_reader_sees_what_comes_after_it(void) {
    g_autoptr(MnEventLog) log = mn_event_log_new();
    guint64 cursor;

    append(log, 1, 3);
    cursor = mn_event_log_get_end(log);
    check_next(log, &cursor, "");
    append(log, 4, 1);
    check_next(log, &cursor, "0.000004 low used left 4 7\n");
    check_next(log, &cursor, "");
}

static void test_readers_are_independent(void) {
    g_autoptr(MnEventLog) log = mn_event_log_new();
    guint64 one = 0, other = 0;

    append(log, 1, 2);
    check_next(log, &one, "0.000001 low used left 1 7\n");
    check_next(log, &one, "0.000002 low used left 2 7\n");
    check_next(log, &one, "");
    check_next(log, &other, "0.000001 low used left 1 7\n");
}

static void test_a_full_log_loses_nothing(void) {
    g_autoptr(MnEventLog) log = mn_event_log_new();
    guint64 cursor = 0;

    append(log, 0, N_KEPT);
    check_next(log, &cursor, "0.000000 low used left 0 7\n");
    CU_ASSERT_EQUAL(cursor, 1);
}

static void test_a_slow_reader_is_told_how_much_it_lost(void) {
    g_autoptr(MnEventLog) log = mn_event_log_new();
    guint64 cursor = 0;

    append(log, 0, N_KEPT + 17);
    check_next(log, &cursor, "0.000017 - - lost 17\n");
    for (guint64 i = 17; i < N_KEPT + 17; i++) {
        g_autofree char *expected = g_strdup_printf(
            "0.%06u low used left %" G_GUINT64_FORMAT " 7\n", (guint)i, i);

        check_next(log, &cursor, expected);
    }
    check_next(log, &cursor, "");
}

static void test_losing_again_while_reading(void) {
    g_autoptr(MnEventLog) log = mn_event_log_new();
    guint64 cursor = 0;

    append(log, 0, N_KEPT + 1);
    check_next(log, &cursor, "0.000001 - - lost 1\n");
    append(log, N_KEPT + 1, 2);
    check_next(log, &cursor, "0.000003 - - lost 2\n");
    check_next(log, &cursor, "0.000003 low used left 3 7\n");
}

static CU_TestInfo tests[] = {
    { "lines", test_lines },
    { "the longest line fits", test_the_longest_line_fits },
    { "a reader sees what comes after it", test_a_reader_sees_what_comes_after_it },
    { "readers are independent", test_readers_are_independent },
    { "a full log loses nothing", test_a_full_log_loses_nothing },
    { "a slow reader is told how much it lost", test_a_slow_reader_is_told_how_much_it_lost },
    { "losing again while reading", test_losing_again_while_reading },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "eventlog", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
