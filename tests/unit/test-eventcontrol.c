/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients write to cgroup.event_control, understood as the kernel understands it. The same texts are
 * written to the kernel's own file by tests/integration/test_memcg.py. */
#include "core/eventcontrol.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define BYTES(literal) literal, sizeof(literal) - 1
#define PAGE_BYTES 4096
#define MAX_PAGES (G_MAXLONG / PAGE_BYTES)

/* The bytes at the end of a block of their own, so that a sanitizer sees who reads on. */
static char *copy(const char *text, gsize len) {
    char *bytes = g_malloc(MAX(len, 1));

    memcpy(bytes, text, len);
    return bytes;
}

static void test_lines(void) {
    static const struct {
        const char *text;
        gsize len;
        int expected;
        guint64 eventfd;
        guint64 control;
        const char *argument;
    } rows[] = {
        { BYTES("5 7 1M"), 0, 5, 7, "1M" },
        { BYTES("5 7 4096\n"), 0, 5, 7, "4096" },
        { BYTES("5 7 4096\0"), 0, 5, 7, "4096" },
        { BYTES("5 7 4096\0 junk"), 0, 5, 7, "4096" },
        { BYTES("5 7 4096\n\0"), 0, 5, 7, "4096" },
        { BYTES("  5 7 4096  "), 0, 5, 7, "4096" },
        { BYTES("\t\n\v\f\r5 7 x\t\n\v\f\r"), 0, 5, 7, "x" },
        { BYTES("5 7"), 0, 5, 7, "" },
        { BYTES("5 7 "), 0, 5, 7, "" },
        { BYTES("5 7\n"), 0, 5, 7, "" },
        { BYTES("5 7  4096"), 0, 5, 7, " 4096" },
        { BYTES("5 7 4096 8192"), 0, 5, 7, "4096 8192" },
        { BYTES("5 7 low, local"), 0, 5, 7, "low, local" },
        { BYTES("05 007 x"), 0, 5, 7, "x" },
        { BYTES("5  7 4096"), 0, 5, 0, "7 4096" },
        { BYTES("5 "), -EINVAL, 0, 0, NULL },
        { BYTES("5"), -EINVAL, 0, 0, NULL },
        { BYTES("5\t7 4096"), -EINVAL, 0, 0, NULL },
        { BYTES("5,7 4096"), -EINVAL, 0, 0, NULL },
        { BYTES("5 7\t4096"), -EINVAL, 0, 0, NULL },
        { BYTES("5 7,4096"), -EINVAL, 0, 0, NULL },
        { BYTES("5 x"), -EINVAL, 0, 0, NULL },
        { BYTES("abc"), -EINVAL, 0, 0, NULL },
        { BYTES("-1 -1 x"), -EINVAL, 0, 0, NULL },
        { BYTES("5 -1 x"), -EINVAL, 0, 0, NULL },
        { BYTES("+5 7 x"), -EINVAL, 0, 0, NULL },
        { BYTES("0x5 7 x"), -EINVAL, 0, 0, NULL },
        { BYTES(""), -EINVAL, 0, 0, NULL },
        { BYTES("\0"), -EINVAL, 0, 0, NULL },
        { BYTES("\0005 7 x"), -EINVAL, 0, 0, NULL },
        { BYTES(" \n "), -EINVAL, 0, 0, NULL },
        { BYTES("5 7 \xc3"), 0, 5, 7, "\xc3" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = copy(rows[i].text, rows[i].len);
        MnEventControl parsed = { .eventfd = 99 };
        int r;

        r = mn_event_control_parse(text, rows[i].len, NULL, &parsed);
        CHECK(r == rows[i].expected, "%s", rows[i].text);
        if (r < 0) {
            CHECK(parsed.eventfd == 99, "%s", rows[i].text);
            continue;
        }
        CHECK(parsed.eventfd == rows[i].eventfd, "%s", rows[i].text);
        CHECK(parsed.control == rows[i].control, "%s", rows[i].text);
        CHECK(parsed.argument_len == strlen(rows[i].argument) &&
                  memcmp(parsed.argument, rows[i].argument, parsed.argument_len) == 0,
              "%s", rows[i].text);
    }
}

static void test_huge_numbers_are_no_descriptor(void) {
    static const char *const rows[] = { "2147483648 7 x", "4294967301 7 x", "18446744073709551621 7 x",
                                        "99999999999999999999999999999999 7 x" };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnEventControl parsed;

        CHECK(mn_event_control_parse(rows[i], strlen(rows[i]), NULL, &parsed) == 0, "%s", rows[i]);
        CHECK(parsed.eventfd > G_MAXINT, "%s", rows[i]);
        CHECK(parsed.control == 7, "%s", rows[i]);
    }
}

static void test_long_lines(void) {
    g_autofree char *text = g_malloc(MN_EVENT_CONTROL_TEXT_MAX + 1);
    MnEventControl parsed;

    memset(text, ' ', MN_EVENT_CONTROL_TEXT_MAX + 1);
    memcpy(text, "5 7 x", 5);
    CU_ASSERT_EQUAL(mn_event_control_parse(text, MN_EVENT_CONTROL_TEXT_MAX, NULL, &parsed), 0);
    CU_ASSERT_EQUAL(mn_event_control_parse(text, MN_EVENT_CONTROL_TEXT_MAX + 1, NULL, &parsed), -E2BIG);
}

static void test_thresholds(void) {
    static const struct {
        const char *text;
        gint64 pages; /* -1: -EINVAL */
    } rows[] = {
        { "", 0 },
        { "0", 0 },
        { "4095", 0 },
        { "4096", 1 },
        { "8191", 1 },
        { "1M", 256 },
        { "1m", 256 },
        { "4K", 1 },
        { "1G", 1 << 18 },
        { "1T", 1 << 28 },
        { "1P", G_GINT64_CONSTANT(1) << 38 },
        { "1E", G_GINT64_CONSTANT(1) << 48 },
        { "K", 0 },
        { "0x10000", 16 },
        { "0X10000", 16 },
        { "0x10000K", 16384 },
        { "0xfM", 15 * 256 },
        { "010000", 1 },
        { "0x", -1 },
        { "0xg", -1 },
        { "08", -1 },
        { "-1", MAX_PAGES },
        { "-2", -1 },
        { "-1 ", -1 },
        { "+4096", -1 },
        { "7E", (G_GINT64_CONSTANT(7) << 60) / PAGE_BYTES },
        { "8E", MAX_PAGES },
        { "9223372036854771712", MAX_PAGES },
        { "18446744073709551615", MAX_PAGES },
        { "18446744073709551616", 0 }, /* wraps, as in the kernel */
        { "18446744073709555712", 1 },
        { "16E", 0 },
        { "1Mjunk", -1 },
        { "1MK", -1 },
        { "1 M", -1 },
        { "1.5M", -1 },
        { "max", -1 },
        { "4096 8192", -1 },
        { " 4096", -1 },
        { "4096 ", -1 },
        { "50%", -1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = copy(rows[i].text, strlen(rows[i].text));
        guint64 pages = 99;
        int r;

        r = mn_event_control_parse_threshold(text, strlen(rows[i].text), PAGE_BYTES, &pages);
        CHECK(r == (rows[i].pages < 0 ? -EINVAL : 0), "%s", rows[i].text);
        CHECK(pages == (r < 0 ? 99 : (guint64)rows[i].pages), "%s", rows[i].text);
    }
}

static void test_pressures(void) {
    static const struct {
        const char *text;
        int expected; /* -EINVAL, or a level */
    } rows[] = {
        { "low", MN_PRESSURE_LOW },
        { "medium", MN_PRESSURE_MEDIUM },
        { "critical", MN_PRESSURE_CRITICAL },
        { "low,local", MN_PRESSURE_LOW },
        { "low,hierarchy", MN_PRESSURE_LOW },
        { "medium,default", MN_PRESSURE_MEDIUM },
        { "critical,hierarchy", MN_PRESSURE_CRITICAL },
        { "low,local,hierarchy", MN_PRESSURE_LOW },
        { "low,local,", MN_PRESSURE_LOW },
        { "low,", -EINVAL },
        { "low,,local", -EINVAL },
        { "low, local", -EINVAL },
        { "low ,local", -EINVAL },
        { "LOW", -EINVAL },
        { " low", -EINVAL },
        { "low ", -EINVAL },
        { "lo", -EINVAL },
        { "lowest", -EINVAL },
        { "low,loc", -EINVAL },
        { "low,locally", -EINVAL },
        { "full", -EINVAL },
        { "", -EINVAL },
        { ",", -EINVAL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = copy(rows[i].text, strlen(rows[i].text));
        MnPressure level = MN_N_PRESSURES;
        int r;

        r = mn_event_control_parse_pressure(text, strlen(rows[i].text), &level);
        CHECK(r == MIN(rows[i].expected, 0), "%s", rows[i].text);
        CHECK((int)level == (r < 0 ? MN_N_PRESSURES : rows[i].expected), "%s", rows[i].text);
    }
}

static CU_TestInfo tests[] = {
    { "two numbers and an argument", test_lines },
    { "a huge number is not wrapped round to a descriptor", test_huge_numbers_are_no_descriptor },
    { "a line longer than a page is too big", test_long_lines },
    { "thresholds", test_thresholds },
    { "pressure levels and modes", test_pressures },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "eventcontrol", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
