/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readings at given times, and the columns that become of them. */
#include "history.h"
#include "runner.h"

#define S G_USEC_PER_SEC
#define N_COLUMNS 6

static CmdHistory history;

static void set_up(void) {
    cmd_history_init(&history);
}

static void tear_down(void) {
    cmd_history_clear(&history);
}

static void add(gint64 time_us, gint64 delay_us, guint64 free_pages) {
    MnReading reading = { .pages = { [MN_METER_FREE] = free_pages } };

    cmd_history_add(&history, time_us, time_us + delay_us * 3 / 2, MN_METER_BIT(MN_METER_FREE), &reading);
}

/* The newest at the right: "-" for what is not known, else "LOWEST" or "LOWEST-HIGHEST". */
static char *show(MnMeterId meter, gint64 now_us, gint64 stretch_us) {
    CmdStretch columns[N_COLUMNS];
    GString *text = g_string_new(NULL);

    cmd_history_get(&history, meter, now_us, stretch_us, N_COLUMNS, columns);
    for (guint i = N_COLUMNS; i-- > 0;) {
        if (!columns[i].is_known)
            g_string_append(text, "-");
        else if (columns[i].lowest == columns[i].highest)
            g_string_append_printf(text, "%" G_GUINT64_FORMAT, columns[i].lowest);
        else
            g_string_append_printf(text, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, columns[i].lowest,
                                   columns[i].highest);
        g_string_append(text, i > 0 ? " " : "");
    }
    return g_string_free(text, FALSE);
}

static void check(gint64 now_us, gint64 stretch_us, const char *expected) {
    g_autofree char *shown = show(MN_METER_FREE, now_us, stretch_us);

    CHECK(strcmp(shown, expected) == 0, "'%s' is not '%s'", shown, expected);
}

static void test_nothing_is_known_at_first(void) {
    check(100 * S, S, "- - - - - -");
}

static void test_a_reading_has_a_column(void) {
    for (guint i = 1; i <= 4; i++)
        add(i * S, S, i);
    check(4 * S, S, "- - 1 2 3 4");
    for (guint i = 5; i <= 9; i++)
        add(i * S, S, i);
    check(9 * S, S, "4 5 6 7 8 9");
}

/* A loop is woken late, and not always as late. */
static void test_those_that_come_late_have_one_too(void) {
    static const gint64 late_us[] = { 0, S / 3, 1, S / 4, 0, S / 3 };

    for (guint i = 0; i < G_N_ELEMENTS(late_us); i++)
        add(10 * S + i * S + late_us[i], S, i);
    check(10 * S + 5 * S + S / 4, S, "0 1 2 3 4 5");
}

static void test_many_share_a_column(void) {
    static const guint64 pages[] = { 5, 9, 2, 7, 1, 1 };

    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        add(100 * S + i * S / 2, S / 2, pages[i]);
    check(100 * S + 5 * S / 2, S, "- - 5 2-9 1-7 1");
}

static void test_a_reading_fills_the_columns_up_to_the_next(void) {
    add(10 * S, 4 * S, 3);
    add(14 * S, 4 * S, 8);
    check(15 * S, S, "3 3 3 3 8 8");
}

/* While the server was away. */
static void test_it_does_not_fill_more(void) {
    add(10 * S, S, 3);
    add(14 * S, S, 8);
    check(15 * S, S, "3 3 - - 8 8");
    check(30 * S, S, "- - - - - -");
}

static void test_what_was_not_offered_is_not_known(void) {
    g_autofree char *shown = NULL;

    add(10 * S, S, 3);
    shown = show(MN_METER_USED, 10 * S, S);
    CU_ASSERT_STRING_EQUAL(shown, "- - - - - -");
}

static void test_the_oldest_make_room(void) {
    for (guint i = 0; i < CMD_HISTORY_MAX + 10; i++)
        add(i * S, S, i);
    CU_ASSERT_EQUAL(history.n, CMD_HISTORY_MAX);
    check((CMD_HISTORY_MAX + 9) * S, 2000 * S, "- - - - 10-33 34-1033");
}

static CU_TestInfo tests[] = {
    { "nothing is known at first", test_nothing_is_known_at_first },
    { "a reading has a column", test_a_reading_has_a_column },
    { "those that come late have one, too", test_those_that_come_late_have_one_too },
    { "many share a column", test_many_share_a_column },
    { "a reading fills the columns up to the next", test_a_reading_fills_the_columns_up_to_the_next },
    { "it does not fill more", test_it_does_not_fill_more },
    { "what was not offered is not known", test_what_was_not_offered_is_not_known },
    { "the oldest make room", test_the_oldest_make_room },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "history", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
