/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of `metrics` -> what memnotify shows. */
#include "figures.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define TOTAL "memnotifyfs_total_bytes 40960\n"
#define END "# EOF\n"

static int parse(const char *text, CmdFigures *ret) {
    return cmd_figures_parse(text, strlen(text), 4096, ret);
}

static void test_everything_that_is_shown(void) {
    g_auto(CmdFigures) figures = { 0 };
    const CmdNamedLimit *limits;

    CU_ASSERT_EQUAL_FATAL(
        parse("# TYPE memnotifyfs_used_bytes gauge\n"
              "memnotifyfs_used_bytes 8192\n" TOTAL "memnotifyfs_source_info{kind=\"cgroup\"} 1\n"
              "memnotifyfs_source_present 1\n"
              "memnotifyfs_threshold_reached{threshold=\"low\",meter=\"used\",op=\">=\"} 1\n"
              "memnotifyfs_threshold_reached{threshold=\"low\",meter=\"available\",op=\"<\"} 0\n"
              "memnotifyfs_threshold_crossings_total{threshold=\"low\",meter=\"used\",op=\">=\"} 3\n"
              "memnotifyfs_threshold_limit_bytes{threshold=\"low\",meter=\"used\",op=\">=\"} 4096\n"
              "memnotifyfs_threshold_limit_bytes{threshold=\"low\",meter=\"available\",op=\"<\"} 12288\n"
              "memnotifyfs_threshold_limits_left_out 7\n"
              "memnotifyfs_cpu_seconds_total 0.003366\n" END,
              &figures),
        0);
    CU_ASSERT_EQUAL(figures.offered, MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_TOTAL));
    CU_ASSERT_EQUAL(figures.reading.pages[MN_METER_USED], 2);
    CU_ASSERT_EQUAL(figures.reading.pages[MN_METER_TOTAL], 10);
    CU_ASSERT_TRUE(figures.is_of_group);
    CU_ASSERT_FALSE(figures.is_gone);
    CU_ASSERT_EQUAL(figures.n_limits_left_out, 7);
    CU_ASSERT_EQUAL_FATAL(figures.limits->len, 2);
    limits = (const CmdNamedLimit *)(void *)figures.limits->data;
    CU_ASSERT_STRING_EQUAL(limits[0].threshold, "low");
    CU_ASSERT_EQUAL(limits[0].meter, MN_METER_USED);
    CU_ASSERT_EQUAL(limits[0].op, MN_OP_AT_LEAST);
    CU_ASSERT_EQUAL(limits[0].limit_pages, 1);
    CU_ASSERT_EQUAL(limits[0].crossings, 3);
    CU_ASSERT_TRUE(limits[0].is_reached);
    CU_ASSERT_EQUAL(limits[1].meter, MN_METER_AVAILABLE);
    CU_ASSERT_EQUAL(limits[1].op, MN_OP_BELOW);
    CU_ASSERT_EQUAL(limits[1].limit_pages, 3);
    CU_ASSERT_FALSE(limits[1].is_reached);
}

static void test_names_that_are_quoted(void) {
    static const struct {
        const char *quoted, *name;
    } rows[] = {
        { "a\\\\b", "a\\b" }, { "a\\\"b", "a\"b" },     { "a\\nb", "a\nb" },        { "a\\\\nb", "a\\nb" },
        { "}", "}" },         { "a,b=\\\"", "a,b=\"" }, { "\xc3\xa9", "\xc3\xa9" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(CmdFigures) figures = { 0 };
        g_autofree char *text = g_strdup_printf(
            TOTAL "memnotifyfs_threshold_reached{threshold=\"%s\",meter=\"used\",op=\">=\"} 1\n" END, rows[i].quoted);

        CHECK(parse(text, &figures) == 0, "%s", rows[i].quoted);
        CHECK(figures.limits && figures.limits->len == 1, "%s", rows[i].quoted);
        CHECK(figures.limits && strcmp(g_array_index(figures.limits, CmdNamedLimit, 0).threshold, rows[i].name) == 0,
              "%s", rows[i].quoted);
    }
}

static void test_what_is_not_known_is_skipped(void) {
    static const char *const lines[] = {
        "memnotifyfs_used_bytes",
        "memnotifyfs_used_bytes ",
        "memnotifyfs_used_bytes x",
        "memnotifyfs_used_bytes{",
        "memnotifyfs_used_bytes{a",
        "memnotifyfs_used_bytes{a=\"",
        "memnotifyfs_used_bytes{a=\"b\\",
        "memnotifyfs_used_bytes{a=\"b\"} 4096",
        "memnotifyfs_news_bytes 4096",
        "memnotifyfs_bytes 4096",
        "others_used_bytes 4096",
        "memnotifyfs_threshold_reached{threshold=\"low\",meter=\"news\",op=\">=\"} 1",
        "memnotifyfs_threshold_reached{threshold=\"low\",meter=\"used\",op=\"=\"} 1",
        "memnotifyfs_threshold_reached{a=\"1\",b=\"2\",c=\"3\",d=\"4\"} 1",
        "memnotifyfs_threshold_reached 1",
        "",
    };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(CmdFigures) figures = { 0 };
        g_autofree char *text = g_strdup_printf("%s\n" TOTAL END, lines[i]);

        CHECK(parse(text, &figures) == 0, "%s", lines[i]);
        CHECK(figures.offered == MN_METER_BIT(MN_METER_TOTAL), "%s", lines[i]);
        CHECK(figures.limits && figures.limits->len == 0, "%s", lines[i]);
    }
}

static void test_a_text_that_will_not_do(void) {
    static const char *const texts[] = { "", "# EOF", END, TOTAL, TOTAL "# EOF", TOTAL END "x" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        CmdFigures figures = { .n_limits_left_out = 4711 };

        CHECK(parse(texts[i], &figures) == -EBADMSG, "%s", texts[i]);
        CHECK(figures.n_limits_left_out == 4711, "%s", texts[i]);
    }
}

static void test_a_group_that_is_removed_has_no_values(void) {
    g_auto(CmdFigures) figures = { 0 };

    CU_ASSERT_EQUAL(parse("memnotifyfs_source_present 0\n" END, &figures), 0);
    CU_ASSERT_TRUE(figures.is_gone);
    CU_ASSERT_EQUAL(figures.offered, 0);
}

static void test_shares(void) {
    CmdFigures figures = { 0 };
    guint64 *pages = figures.reading.pages;

    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_USED), 0);
    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_SWAP_USED), 0);
    pages[MN_METER_TOTAL] = 100;
    pages[MN_METER_SWAP_TOTAL] = 20;
    pages[MN_METER_USED] = 25;
    pages[MN_METER_FREE] = 20;
    pages[MN_METER_SWAP_USED] = 5;
    pages[MN_METER_FILE] = 90;                                         /* more than there is */
    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_USED), 0.25); /* of memory and swap */
    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_FREE), 0.25); /* of memory */
    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_SWAP_USED), 0.25);
    CU_ASSERT_EQUAL(cmd_figures_share(&figures, MN_METER_FILE), 1);
}

static CU_TestInfo tests[] = {
    { "everything that is shown", test_everything_that_is_shown },
    { "names that are quoted", test_names_that_are_quoted },
    { "what is not known is skipped", test_what_is_not_known_is_skipped },
    { "a text that will not do", test_a_text_that_will_not_do },
    { "a group that is removed has no values", test_a_group_that_is_removed_has_no_values },
    { "shares", test_shares },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "figures", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
