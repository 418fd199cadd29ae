/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How high things are in a graph. */
#include "graph.h"
#include "runner.h"

static void test_heights(void) {
    static const struct {
        guint64 pages;
        guint64 top;
        guint rows;
        guint eighths;
    } rows[] = {
        { 0, 1000, 10, 0 },     { 1000, 1000, 10, 80 }, { 500, 1000, 10, 40 },          { 1, 1000, 10, 0 },
        { 2000, 1000, 10, 80 }, { 5, 0, 10, 0 },        { G_MAXUINT64, 1, 1000, 8000 }, { 125, 1000, 1, 1 },
        { 999, 1000, 10, 80 },  { 994, 1000, 10, 80 },  { 990, 1000, 10, 79 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint eighths = cmd_graph_eighths(rows[i].pages, rows[i].top, rows[i].rows);

        CHECK(eighths == rows[i].eighths, "row %u: %u", i, eighths);
    }
}

static void test_zoom(void) {
    static const struct {
        guint64 whole;
        guint64 most;
        guint64 top;
    } rows[] = {
        { 1000, 1000, 1000 }, { 1000, 501, 1000 }, { 1000, 500, 500 }, { 1000, 130, 250 },
        { 1000, 1, 1 },       { 1000, 0, 1 },      { 0, 5, 0 },        { 10, 4000, 10 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 top = cmd_graph_zoom(rows[i].whole, rows[i].most);

        CHECK(top == rows[i].top, "row %u: %u", i, (guint)top);
    }
}

static CU_TestInfo tests[] = {
    { "heights", test_heights },
    { "zoom", test_zoom },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "graph", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
