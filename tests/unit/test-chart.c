/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SVG of values: 1000 wide and 240 high, whatever the time and the values. */
#include "chart.h"
#include "runner.h"

#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)

static CmdChart chart;
static CmdSeries series;

static void set_up(void) {
    chart =
        (CmdChart){ .page = g_string_new(NULL), .id = "i", .of = "o", .title = "t", .description = "d", .bytes = 4096 };
    chart.duration_us = 10 * SECOND;
    chart.top = 240;
    cmd_series_init(&series, 1, 0);
}

static void tear_down(void) {
    cmd_series_clear(&series);
    g_string_free(chart.page, TRUE);
}

static void add(gint64 time_us, guint64 value) {
    cmd_series_add(&series, time_us, &value);
}

static guint64 take(const guint64 *values, guint index) {
    return values[index];
}

static void expect(const char *html) {
    CHECK(strcmp(chart.page->str, html) == 0, "%s", chart.page->str);
}

static guint count(const char *text) {
    g_auto(GStrv) pieces = g_strsplit(chart.page->str, text, -1);

    return g_strv_length(pieces) - 1;
}

static void test_a_line(void) {
    add(0, 240);
    add(5 * SECOND, 120);
    add(10 * SECOND, 0);
    cmd_chart_line(&chart, &series, "used", 0);
    expect("<path class=\"line used\" d=\"M0 0L0 0L500 120L1000 240\"/>");
}

static void test_a_line_goes_to_lowest_and_highest(void) {
    add(0, 240);
    add(5 * SECOND, 100);
    add(5 * SECOND, 40);
    add(5 * SECOND, 200);
    cmd_chart_line(&chart, &series, "used", 0);
    expect("<path class=\"line used\" d=\"M0 0L0 0L500 40L500 200\"/>");
}

static void test_what_is_not_known_is_a_gap(void) {
    add(0, 240);
    add(SECOND, CMD_SERIES_NONE);
    add(2 * SECOND, 120);
    add(3 * SECOND, 120);
    cmd_chart_line(&chart, &series, "used", 0);
    expect("<path class=\"line used\" d=\"M0 0L0 0M200 120L200 120L300 120\"/>");
    g_string_truncate(chart.page, 0);
    cmd_chart_area(&chart, &series, "used", take, 0);
    expect("<path class=\"area used\" d=\"M0 0L0 240L0 240zM200 120L300 120L300 240L200 240z\"/>");
}

static void test_what_is_beyond_the_top_stays_within(void) {
    cmd_chart_begin_marks(&chart, "reached");
    cmd_chart_mark(&chart, 5 * SECOND, 1e30);
    cmd_chart_mark(&chart, 6 * SECOND, 0);
    cmd_chart_end_marks(&chart);
    expect("<path class=\"mark reached\" d=\"M500 0h0M600 240h0\"/>");
}

/* From none to more than any machine has: there is something above, and there are a few marks that can be told apart. */
static void test_scales(void) {
    static const guint64 highest[] = { 0, 1, 5, 2097152, G_MAXUINT64 / 4096, G_MAXUINT64 };
    static const guint64 bytes[] = { 0, 1, 4096, 65536 };

    for (guint i = 0; i < G_N_ELEMENTS(highest); i++)
        for (guint j = 0; j < G_N_ELEMENTS(bytes); j++) {
            chart.bytes = bytes[j];
            cmd_chart_scale(&chart, highest[i]);
            CHECK(chart.tick > 0 && chart.top >= chart.tick && chart.top / chart.tick < 6,
                  "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes: %g of %g", highest[i], bytes[j], chart.tick,
                  chart.top);
        }
}

static void test_axes(void) {
    chart.bytes = (guint64)1 << 30;
    cmd_chart_scale(&chart, 8);
    chart.date_us = (G_GINT64_CONSTANT(1700000000) - 3) * SECOND; /* 22:13:17 */
    cmd_chart_begin(&chart);
    cmd_chart_end_plot(&chart);
    cmd_chart_end(&chart);
    CU_ASSERT(count("<svg") == 2 && count("</svg>") == 2);
    CU_ASSERT(count(">2G<") == 1 && count(">8G<") == 1 && count(">10G<") == 0);
    CU_ASSERT(count(">22:13:18<") == 1 && count(">22:13:26<") == 1 && count(">22:13:28<") == 0);
}

static void test_axes_without_a_date(void) {
    cmd_chart_begin(&chart);
    CU_ASSERT(count(">2 s<") == 1 && count(">8 s<") == 1);
    g_string_truncate(chart.page, 0);
    chart.duration_us = 30 * 3600 * SECOND;
    cmd_chart_begin(&chart);
    CU_ASSERT(count(">12:00 h<") == 1 && count(">24:00 h<") == 1);
}

int main(void) {
    CU_TestInfo tests[] = {
        { "a line", test_a_line },
        { "a line goes to lowest and highest", test_a_line_goes_to_lowest_and_highest },
        { "what is not known is a gap", test_what_is_not_known_is_a_gap },
        { "what is beyond the top stays within", test_what_is_beyond_the_top_stays_within },
        { "scales", test_scales },
        { "axes", test_axes },
        { "axes without a date", test_axes_without_a_date },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "chart", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
