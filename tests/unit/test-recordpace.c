/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When memnotify record records, and what it says of processes and of the date. */
#include "recordpace.h"
#include "recordprocesses.h"
#include "runner.h"

#include <string.h>

#define SECOND_US G_TIME_SPAN_SECOND
#define MS_US G_TIME_SPAN_MILLISECOND

static void test_when(void) {
    static const struct {
        gint64 age_us;
        MnGlance glance;
        gboolean is_due;
    } rows[] = {
        { 0, { 1000000, 500000, 300000 }, FALSE },          { SECOND_US - 1, { 1000000, 500000, 300000 }, FALSE },
        { SECOND_US, { 1000000, 500000, 300000 }, TRUE },   { 100 * MS_US, { 1000000, 495001, 300000 }, FALSE },
        { 100 * MS_US, { 1000000, 495000, 300000 }, TRUE }, { 100 * MS_US, { 1000000, 505000, 300000 }, TRUE },
        { 99 * MS_US, { 1000000, 1, 1 }, FALSE },           { 100 * MS_US, { 1000000, 500000, 305000 }, TRUE },
        { 100 * MS_US, { 999999, 500000, 300000 }, TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CmdRecordPace pace = { .every_us = SECOND_US };

        cmd_record_pace_note(&pace, 77 * SECOND_US, &(MnGlance){ 1000000, 500000, 300000 });
        CHECK(cmd_record_pace_is_due(&pace, 77 * SECOND_US + rows[i].age_us, &rows[i].glance) == rows[i].is_due,
              "row %u", i);
    }
}

/* Moments of memory that moves all the time, in so many seconds. */
static guint count_of(guint64 available, guint seconds) {
    CmdRecordPace pace = { .every_us = SECOND_US };
    MnGlance glance = { 1000000, available, available };
    guint n = 0;

    for (guint i = 0; i < seconds * 20; i++) {
        gint64 now_us = 1000 * SECOND_US + i * 50 * MS_US;

        glance.available = glance.free = available + (i % 3) * 10000;
        if (!cmd_record_pace_is_due(&pace, now_us, &glance))
            continue;
        cmd_record_pace_note(&pace, now_us, &glance);
        n++;
    }
    return n;
}

static void test_room(void) {
    guint burst = count_of(500000, 5), hour = count_of(500000, 3600);

    CHECK(burst >= 25 && burst <= 35, "%u", burst);
    CHECK(hour >= 3600 && hour <= 3600 * 5 / 4 + 50, "%u", hour);
    CHECK(count_of(20000, 60) >= 60 * 6, "%u", count_of(20000, 60)); /* while it is short */
}

static void test_the_first_at_once(void) {
    CmdRecordPace pace = { .every_us = SECOND_US };

    CU_ASSERT(cmd_record_pace_is_due(&pace, 1, &(MnGlance){ 1, 1, 1 }));
}

static void test_how_long_it_waits(void) {
    CmdRecordPace pace = { .every_us = SECOND_US };

    cmd_record_pace_note(&pace, 5 * SECOND_US, &(MnGlance){ 1, 1, 1 });
    CU_ASSERT_EQUAL(cmd_record_pace_wait_us(&pace, 5 * SECOND_US), CMD_RECORD_GLANCE_US);
    CU_ASSERT_EQUAL(cmd_record_pace_wait_us(&pace, 6 * SECOND_US - 10), 10);
    CU_ASSERT_EQUAL(cmd_record_pace_wait_us(&pace, 7 * SECOND_US), 0);
}

static void test_short(void) {
    CU_ASSERT_FALSE(cmd_glance_is_short(&(MnGlance){ 1000, 100, 0 }));
    CU_ASSERT(cmd_glance_is_short(&(MnGlance){ 1000, 99, 900 }));
    CU_ASSERT_FALSE(cmd_glance_is_short(&(MnGlance){ 1000, 0, 100 })); /* an old kernel does not say */
    CU_ASSERT(cmd_glance_is_short(&(MnGlance){ 1000, 0, 99 }));
}

static void test_date(void) {
    CmdDateWatch watch = { 0 };
    const gint64 then_us = 1700000000 * SECOND_US;

    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 10 * SECOND_US, then_us), 0);
    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 11 * SECOND_US, then_us + SECOND_US), 0);
    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 12 * SECOND_US, then_us + 2 * SECOND_US + 499 * MS_US), 0);
    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 13 * SECOND_US, then_us + 3 * SECOND_US + 3999 * MS_US), 3500 * MS_US);
    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 3613 * SECOND_US, then_us + 3603 * SECOND_US + 3999 * MS_US), 0);
    CU_ASSERT_EQUAL(cmd_date_watch_step(&watch, 3614 * SECOND_US, then_us), -(3604 * SECOND_US + 3999 * MS_US));
}

static void test_processes(void) {
    CmdGrown processes[] = {
        { .pid = 30, .comm = "large", .rss_pages = 3, .swap_pages = 1 },
        { .pid = 7, .comm = "two words", .rss_pages = 2 },
        { .pid = 30, .comm = "large", .rss_pages = 3, .swap_pages = 1 },
        { .pid = 100, .comm = "a\nb\033", .rss_pages = 0 },
    };
    g_autoptr(GString) text = g_string_new(NULL);

    cmd_record_processes_append(text, processes, G_N_ELEMENTS(processes), 4096);
    CU_ASSERT_STRING_EQUAL(text->str, "7 8192 0 two words\n30 12288 4096 large\n100 0 0 a\\nb\\033\n");
    g_string_truncate(text, 0);
    cmd_record_processes_append(text, NULL, 0, 4096);
    CU_ASSERT_STRING_EQUAL(text->str, "");
}

static CU_TestInfo tests[] = {
    { "when", test_when },
    { "room", test_room },
    { "the first at once", test_the_first_at_once },
    { "how long it waits", test_how_long_it_waits },
    { "what is short", test_short },
    { "the date", test_date },
    { "processes", test_processes },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "recordpace", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
