/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runner.h"
#include "ticks.h"

#define G (G_GUINT64_CONSTANT(1) << 30)

static void test_bytes(void) {
    static const struct {
        guint64 top, step;
    } rows[] = {
        { 0, 4096 },
        { 4096, 4096 },
        { 5 * 4096, 4096 },
        { 6 * 4096, 8192 },
        { 8 * G, 2 * G },
        { 24 * G, 8 * G },
        { G_MAXUINT64, G_GUINT64_CONSTANT(1) << 62 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(cmd_ticks_of_bytes(rows[i].top, 5) == rows[i].step, "%" G_GUINT64_FORMAT, rows[i].top);
}

static void test_numbers(void) {
    static const struct {
        guint64 top, step;
    } rows[] = { { 0, 1 }, { 5, 1 }, { 6, 2 }, { 10, 2 }, { 12, 5 }, { 30, 10 }, { 541, 100 }, { 10833, 2000 } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(cmd_ticks_of_number(rows[i].top, 5) == rows[i].step, "%" G_GUINT64_FORMAT, rows[i].top);
    CU_ASSERT(G_MAXUINT64 / cmd_ticks_of_number(G_MAXUINT64, 5) <= 5);
}

static void test_seconds(void) {
    static const struct {
        gint64 duration_s, step_s;
    } rows[] = {
        { 0, 1 },
        { 5, 1 },
        { 6, 2 },
        { 60, 15 },
        { 900, 300 },
        { 3600, 900 },
        { 86400, 21600 },
        { 86400 * 7, 2 * 86400 },
        { 86400 * 365, 64 * 86400 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(cmd_ticks_of_seconds(rows[i].duration_s, 5) == rows[i].step_s,
              "%" G_GINT64_FORMAT " gives %" G_GINT64_FORMAT, rows[i].duration_s,
              cmd_ticks_of_seconds(rows[i].duration_s, 5));
}

int main(void) {
    CU_TestInfo tests[] = {
        { "bytes", test_bytes },
        { "numbers", test_numbers },
        { "seconds", test_seconds },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "ticks", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
