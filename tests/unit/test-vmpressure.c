/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pressure levels, by the kernel's rule. */
#include "core/vmpressure.h"
#include "runner.h"

#include <string.h>

static MnVmpressureCounters parse(const char *text) {
    MnVmpressureCounters reclaim = { 9, 9, 9 };

    mn_vmpressure_parse(text, strlen(text), &reclaim);
    return reclaim;
}

static void test_texts(void) {
    static const struct {
        const char *name;
        const char *text;
        MnVmpressureCounters expected;
    } rows[] = {
        { "vmstat",
          "pgscan_kswapd 100\npgscan_direct 20\npgscan_khugepaged 3\npgscan_proactive 1000\npgscan_direct_throttle 7\n"
          "pgscan_anon 5000\npgsteal_kswapd 50\npgsteal_direct 10\npgsteal_khugepaged 1\npgsteal_file 9\noom_kill 4\n",
          { 123, 61, 4 } },
        { "memory.stat of 5.10", "anon 4096\npgscan 70\npgsteal 60\n", { 70, 60, 0 } },
        { "memory.stat of 6.12",
          "pgscan 170\npgsteal 160\npgscan_kswapd 40\npgscan_direct 30\npgscan_proactive 100\npgsteal_kswapd 30\n"
          "pgsteal_direct 30\n",
          { 70, 60, 0 } },
        { "nothing of it", "nr_free_pages 5\n", { 0, 0, 0 } },
        { "empty", "", { 0, 0, 0 } },
        { "a cut line", "pgscan_direct 12", { 0, 0, 0 } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnVmpressureCounters found = parse(rows[i].text);

        CHECK(found.scanned == rows[i].expected.scanned, "%s", rows[i].name);
        CHECK(found.reclaimed == rows[i].expected.reclaimed, "%s", rows[i].name);
        CHECK(found.ooms == rows[i].expected.ooms, "%s", rows[i].name);
    }
}

static void test_windows(void) {
    static const struct {
        guint64 scanned; /* more than before */
        guint64 reclaimed;
        int expected; /* -1: the window is not full */
    } rows[] = {
        { 511, 0, -1 },
        { 1, 0, MN_PRESSURE_CRITICAL }, /* they add up: 512 and 0 */
        { 512, 512, MN_PRESSURE_LOW },
        { 512, 600, MN_PRESSURE_LOW }, /* more than was scanned: huge pages */
        { 1000, 401, MN_PRESSURE_LOW },
        { 1000, 400, MN_PRESSURE_MEDIUM },
        { 1000, 51, MN_PRESSURE_MEDIUM },
        { 1000, 50, MN_PRESSURE_CRITICAL },
        { 0, 0, -1 },
        { 256, 256, -1 },
        { 256, 0, MN_PRESSURE_LOW },
        { 100000, 30000, MN_PRESSURE_MEDIUM },
    };
    MnVmpressureCounters now = { .scanned = 1000000, .reclaimed = 400000 };
    MnVmpressure window;

    mn_vmpressure_init(&window, &now);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnPressure level = MN_N_PRESSURES;
        gboolean full;

        now.scanned += rows[i].scanned;
        now.reclaimed += rows[i].reclaimed;
        full = mn_vmpressure_advance(&window, &now, &level);
        CHECK(full == (rows[i].expected >= 0), "%u", i);
        CHECK((int)level == (full ? rows[i].expected : MN_N_PRESSURES), "%u", i);
    }
}

static void test_an_oom_is_critical(void) {
    MnVmpressureCounters now = { .scanned = 1000, .reclaimed = 1000, .ooms = 3 };
    MnVmpressure window;
    MnPressure level = MN_PRESSURE_LOW;

    mn_vmpressure_init(&window, &now);
    CU_ASSERT_FALSE(mn_vmpressure_advance(&window, &now, &level));
    now.ooms++;
    CU_ASSERT_TRUE(mn_vmpressure_advance(&window, &now, &level));
    CU_ASSERT_EQUAL(level, MN_PRESSURE_CRITICAL);
    CU_ASSERT_FALSE(mn_vmpressure_advance(&window, &now, &level)); /* once */
}

static void test_counters_that_go_back(void) {
    MnVmpressureCounters now = { .scanned = 1000000, .reclaimed = 400000 };
    MnVmpressure window;
    MnPressure level;

    mn_vmpressure_init(&window, &now);
    now = (MnVmpressureCounters){ .scanned = 10, .reclaimed = 5 };
    CU_ASSERT_FALSE(mn_vmpressure_advance(&window, &now, &level));
    now.scanned += 512;
    CU_ASSERT_TRUE(mn_vmpressure_advance(&window, &now, &level));
    CU_ASSERT_EQUAL(level, MN_PRESSURE_CRITICAL);
}

static CU_TestInfo tests[] = {
    { "the counters of each kernel's texts", test_texts },
    { "windows and levels", test_windows },
    { "an OOM is critical, scanned or not", test_an_oom_is_critical },
    { "counters that go back begin a new window", test_counters_that_go_back },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "vmpressure", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
