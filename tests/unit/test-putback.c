/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was simulated before, and after -> what puts it back. */
#include "putback.h"
#include "runner.h"

#include <string.h>

static void test_words(void) {
    static const struct {
        const char *before, *after, *words;
    } rows[] = {
        { "", "", "" },
        { "used 5\n", "used 5\n", "" },
        { "", "used 5\n", "used -" },
        { "used 5\n", "", "used 5" },
        { "used 5\n", "used 6\n", "used 5" },
        { "stall_some 20%\n", "stall_some 50%\n", "stall_some 20%" },
        { "low\n", "", "low" },
        { "", "low\n", "low -" },
        { "used 5\nfree 7\n", "used 5\nactive 3\n", "active - free 7" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *words = cmd_putback_words(rows[i].before, rows[i].after);

        CHECK(strcmp(words, rows[i].words) == 0, "'%s' '%s': '%s'", rows[i].before, rows[i].after, words);
    }
}

static CU_TestInfo tests[] = {
    { "words that put back what was there", test_words },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "putback", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
