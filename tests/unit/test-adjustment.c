/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scores of a list, and the record that outlives a killed daemon. */
#include "core/adjustment.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define BOOT "6c9f1f3e-4a8f-4b7e-9a55-0f4e1d2c3b4a"

static void test_scores(void) {
    static const struct {
        guint place;
        int score;
    } rows[] = {
        { 0, 1000 }, { 1, 999 }, { 2, 998 }, { 998, 2 }, { 999, 1 }, { 1000, 0 }, { 1001, 0 }, { G_MAXUINT, 0 }
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(mn_score_for(rows[i].place) == rows[i].score, "place %u: %d", rows[i].place, mn_score_for(rows[i].place));
}

static void test_what_is_written_is_read(void) {
    static const MnAdjustment written[] = { { 4711, 6421, 0, 1000 },
                                            { 4712, G_MAXINT64, -1000, 999 },
                                            { G_MAXINT32, 0, 500, 1 } };
    MnAdjuster adjuster = { .boot_id = BOOT, .pid = 812, .start_ticks = 51234 }, read_adjuster;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GArray) read = NULL;

    mn_adjuster_render(&adjuster, text);
    for (guint i = 0; i < G_N_ELEMENTS(written); i++)
        mn_adjustment_render(&written[i], text);
    CU_ASSERT_TRUE(g_str_has_prefix(text->str, BOOT " 812 51234\n4711 6421 0 1000\n"));

    CU_ASSERT_EQUAL_FATAL(mn_adjustments_parse(text->str, text->len, &read_adjuster, &read), 0);
    CU_ASSERT_STRING_EQUAL(read_adjuster.boot_id, BOOT);
    CU_ASSERT_EQUAL(read_adjuster.pid, 812);
    CU_ASSERT_EQUAL(read_adjuster.start_ticks, 51234);
    CU_ASSERT_EQUAL_FATAL(read->len, G_N_ELEMENTS(written));
    for (guint i = 0; i < read->len; i++) {
        const MnAdjustment *a = &g_array_index(read, MnAdjustment, i), *b = &written[i];

        CHECK(a->pid == b->pid && a->start_ticks == b->start_ticks && a->old_score == b->old_score &&
                  a->set_score == b->set_score,
              "line %u", i);
    }
}

static void test_bad_records(void) {
    static const char *const rows[] = {
        "",
        "\n",
        BOOT,
        BOOT "\n",
        BOOT " 812\n",
        BOOT " 812 51234",
        "short 812 51234\n",
        BOOT "0 812 51234\n",
        BOOT " -812 51234\n",
        BOOT " 812 51234\n4711",
        BOOT " 812 51234\n4711 6421 0\n",
        BOOT " 812 51234\n4711 6421 0 1000",
        BOOT " 812 51234\n4711 6421 0 1000 \n",
        BOOT " 812 51234\n4711 6421 0 1001\n",
        BOOT " 812 51234\n4711 6421 -1001 1000\n",
        BOOT " 812 51234\n4711 6421 - 1000\n",
        BOOT " 812 51234\n-4711 6421 0 1000\n",
        BOOT " 812 51234\n4294972007 6421 0 1000\n",
        BOOT " 812 51234\n4711 6421 0 1000\n\n",
        BOOT " 812 51234\n4711 6421 0 1000\nx\n",
        BOOT " 812 51234\n4711 18446744073709551616 0 1000\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnAdjuster adjuster = { .pid = 77 };
        GArray *adjustments = NULL;

        CHECK(mn_adjustments_parse(rows[i], strlen(rows[i]), &adjuster, &adjustments) == -EBADMSG &&
                  adjuster.pid == 77 && !adjustments,
              "row %u: '%s'", i, rows[i]);
    }
}

static void test_nobody_adjusted(void) {
    const char *text = BOOT " 812 51234\n";
    g_autoptr(GArray) adjustments = NULL;
    MnAdjuster adjuster;

    CU_ASSERT_EQUAL_FATAL(mn_adjustments_parse(text, strlen(text), &adjuster, &adjustments), 0);
    CU_ASSERT_EQUAL(adjustments->len, 0);
}

static CU_TestInfo tests[] = {
    { "the score of each place", test_scores },
    { "what is written is read", test_what_is_written_is_read },
    { "bad records are refused whole", test_bad_records },
    { "nobody is adjusted", test_nobody_adjusted },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "adjustment", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
