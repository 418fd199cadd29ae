/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of pressure/memory. */
#include "runner.h"
#include "core/stall.h"

#include <errno.h>
#include <string.h>

#define LINE "avg10=0.00 avg60=0.00 avg300=0.00 total="

static void test_totals(void) {
    static const struct {
        const char *name, *text;
        gint64 some_us, full_us; /* -1: refused */
    } rows[] = {
        { "as it is", "some " LINE "1204\nfull " LINE "311\n", 1204, 311 },
        { "turned", "full " LINE "311\nsome " LINE "1204\n", 1204, 311 },
        { "full alone", "full avg10=0.00 total=7\n", 7, 7 },
        { "no averages", "some total=8\nfull total=7\n", 8, 7 },
        { "a key and a line that we do not know", "some " LINE "9 avg900=x\nmost " LINE "1\nfull " LINE "3\n", 9, 3 },
        { "no full (cpu of old kernels)", "some avg10=0.00 total=7\n", -1, -1 },
        { "no total", "full avg10=0.00\n", -1, -1 },
        { "no total of some", "some avg10=0.00\nfull total=1\n", -1, -1 },
        { "no number", "full avg10=0.00 total=\n", -1, -1 },
        { "junk", "full avg10=0.00 total=3x\n", -1, -1 },
        { "negative", "full avg10=0.00 total=-3\n", -1, -1 },
        { "2^64", "full avg10=0.00 total=18446744073709551616\n", -1, -1 },
        { "an average that is none", "full avg10=0.0 total=3\n", -1, -1 },
        { "an average that goes on", "full avg10=0.000 total=3\n", -1, -1 },
        { "cut", "full avg10=0.00 total=31", -1, -1 },
        { "empty", "", -1, -1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnStalls stalls, before;
        int r;

        memset(&before, 0x5a, sizeof before);
        stalls = before;
        r = mn_stalls_parse(rows[i].text, strlen(rows[i].text), &stalls);
        CHECK(r == (rows[i].full_us < 0 ? -EBADMSG : 0), "%s: %d", rows[i].name, r);
        if (r < 0) {
            /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) not a byte of it is to be written */
            CHECK(memcmp(&stalls, &before, sizeof before) == 0, "%s", rows[i].name);
            continue;
        }
        CHECK(stalls.lines[MN_STALL_SOME].total_us == (guint64)rows[i].some_us, "%s", rows[i].name);
        CHECK(stalls.lines[MN_STALL_FULL].total_us == (guint64)rows[i].full_us, "%s", rows[i].name);
    }
}

static void test_it_is_printed_as_it_was(void) {
    static const char *const texts[] = {
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "some avg10=100.00 avg60=12.05 avg300=1.50 total=18446744073709551615\n"
        "full avg10=99.99 avg60=0.07 avg300=0.10 total=42\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GString) printed = g_string_new(NULL);
        MnStalls stalls;

        CU_ASSERT_EQUAL(mn_stalls_parse(texts[i], strlen(texts[i]), &stalls), 0);
        mn_stalls_print(&stalls, printed);
        CHECK(strcmp(printed->str, texts[i]) == 0, "%s", printed->str);
    }
}

static CU_TestInfo tests[] = {
    { "totals", test_totals },
    { "it is printed as it was", test_it_is_printed_as_it_was },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "stall", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
