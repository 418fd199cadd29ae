/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times and sizes as people write and read them. */
#include "core/duration.h"
#include "runner.h"
#include "size.h"

#include <string.h>

static void test_durations(void) {
    static const struct {
        const char *text;
        gint64 us; /* -1: none */
    } rows[] = {
        { "0", 0 },
        { "10", 10000000 },
        { "1.5s", 1500000 },
        { "200ms", 200000 },
        { "0.29s", 290000 },
        { "1.1s", 1100000 },
        { "0.0005ms", 0 },
        { "2m", 120000000 },
        { "1h", 3600000000 },
        { "1d", 86400000000 },
        { "10000d", 864000000000000 },
        { "10001d", -1 },
        { "", -1 },
        { "s", -1 },
        { "-1", -1 },
        { "+1", -1 },
        { " 1", -1 },
        { "1 s", -1 },
        { "1x", -1 },
        { "1sec", -1 },
        { "0x10", -1 },
        { "1e3", -1 },
        { "inf", -1 },
        { "nan", -1 },
        { ".5", -1 },
        { "1.2.3", -1 },
        { "1,5", -1 },
        { "99999999999999999999999999", -1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 us = 4711;
        gboolean is_one = mn_duration_parse(rows[i].text, &us);

        CHECK(is_one == (rows[i].us >= 0), "'%s'", rows[i].text);
        CHECK(us == (rows[i].us >= 0 ? rows[i].us : 4711), "'%s'", rows[i].text);
    }
}

/* Rounded to three digits, and never to four, as 1000K. */
static void test_sizes(void) {
    guint64 per_mib = (1 << 20) / cmd_page_bytes();
    struct {
        guint64 pages;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { per_mib, "1.00M" },
        { per_mib * 3 / 2, "1.50M" },
        { per_mib * 9994 / 1000, "9.99M" },
        { per_mib * 12, "12.0M" },
        { per_mib * 99, "99.0M" },
        { per_mib * 482, "482M" },
        { per_mib * 999, "999M" },
        { per_mib * 1000, "0.98G" },
        { per_mib * 1024, "1.00G" },
        { per_mib * 1536, "1.50G" },
        { per_mib * 1024 * 1024, "1.00T" },
        { per_mib * 1024 * 1024 * 1024 * 8, "8.00P" },
        { G_MAXUINT64, "16.0E" },
    };
    char text[CMD_SIZE_BYTES];

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(strcmp(cmd_size_print(rows[i].pages, CMD_UNIT_HUMAN, text), rows[i].text) == 0, "%s %s", rows[i].text,
              text);
    CU_ASSERT_STRING_EQUAL(cmd_size_print(per_mib, CMD_UNIT_BYTES, text), "1048576");
    CU_ASSERT_STRING_EQUAL(cmd_size_print(G_MAXUINT64, CMD_UNIT_PAGES, text), "18446744073709551615");
}

static CU_TestInfo tests[] = {
    { "durations, and what is none", test_durations },
    { "sizes", test_sizes },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "duration", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
