/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits for machines and groups with much swap and none. All of them are such as the server understands. */
#include "levelpreset.h"
#include "runner.h"

#include "core/limit.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT(1) << 18) /* pages */
#define MACHINE LEVEL_PRESET_MACHINE
#define GROUP LEVEL_PRESET_GROUP

static const struct {
    LevelPreset preset;
    Level level;
    guint64 memory_pages, swap_pages;
    const char *limits;
} cases[] = {
    { MACHINE, LEVEL_LOW, 16 * GIB, 0, "available<10%" },
    { MACHINE, LEVEL_MEDIUM, 16 * GIB, 0, "available<6%" },
    { MACHINE, LEVEL_CRITICAL, 16 * GIB, 0, "available<3% used>=95%" },
    { MACHINE, LEVEL_LOW, 16 * GIB, 16 * GIB, "available<5%" },
    { MACHINE, LEVEL_MEDIUM, 16 * GIB, 16 * GIB, "available<3%" },
    { MACHINE, LEVEL_CRITICAL, 16 * GIB, 16 * GIB, "available<1.5% used>=95%" },
    { MACHINE, LEVEL_LOW, 4 * GIB, 12 * GIB, "available<2.5%" },
    { MACHINE, LEVEL_LOW, 2 * GIB, GIB, "available<6.666667%" },
    { MACHINE, LEVEL_LOW, 1024 * GIB, GIB, "available<9.990244%" },
    { MACHINE, LEVEL_LOW, 1, 1024 * GIB, "available<0%" },
    { GROUP, LEVEL_LOW, GIB, 0, "available<15%" },
    { GROUP, LEVEL_MEDIUM, GIB, 0, "available<10%" },
    { GROUP, LEVEL_CRITICAL, GIB, 0, "used>=95%" },
    { GROUP, LEVEL_LOW, GIB, 15 * GIB, "available<0.9375%" },
    { GROUP, LEVEL_MEDIUM, GIB, GIB, "available<5%" },
    { GROUP, LEVEL_CRITICAL, GIB, GIB, "used>=95%" },
    { GROUP, LEVEL_LOW, 0, 0, "available<15%" }, /* one that is removed */
};

static void test_limits(void) {
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *limits = level_preset_limits(cases[i].preset, cases[i].level, cases[i].memory_pages,
                                                      cases[i].memory_pages + cases[i].swap_pages);
        const MnMachine machine = { .page_bytes = 4096, .offered = G_MAXUINT };
        MnLimitSet set;

        CHECK(strcmp(limits, cases[i].limits) == 0, "row %u: '%s' is not '%s'", i, limits, cases[i].limits);
        CHECK(mn_limit_set_parse(limits, strlen(limits), &machine, NULL, &set) == 0, "row %u: '%s'", i, limits);
    }
}

static void test_names(void) {
    LevelPreset preset = GROUP;

    CU_ASSERT_TRUE(level_preset_find("machine", &preset));
    CU_ASSERT_EQUAL(preset, MACHINE);
    CU_ASSERT_TRUE(level_preset_find("group", &preset));
    CU_ASSERT_EQUAL(preset, GROUP);
    CU_ASSERT_FALSE(level_preset_find("", &preset));
    CU_ASSERT_FALSE(level_preset_find("Machine", &preset));
}

static CU_TestInfo tests[] = {
    { "shares are of memory, and written as shares of memory and swap", test_limits },
    { "presets have names", test_names },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "level presets", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
