/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decimal digits -> number, and back. */
#include "core/number.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static void test_numbers(void) {
    static const struct {
        const char *text;
        int expected;
        guint64 number;
        gsize taken;
    } rows[] = {
        { "0", 0, 0, 1 },
        { "7", 0, 7, 1 },
        { "007", 0, 7, 3 },
        { "12 34", 0, 12, 2 },
        { "12K", 0, 12, 2 },
        { "18446744073709551615", 0, G_MAXUINT64, 20 },
        { "00018446744073709551615%", 0, G_MAXUINT64, 23 },
        { "18446744073709551616", -EINVAL, 0, 0 }, /* too large to add */
        { "18446744073709551620", -EINVAL, 0, 0 }, /* too large to multiply */
        { "99999999999999999999999999999999", -EINVAL, 0, 0 },
        { "", -EINVAL, 0, 0 },
        { "x", -EINVAL, 0, 0 },
        { "-1", -EINVAL, 0, 0 },
        { "+1", -EINVAL, 0, 0 },
        { " 1", -EINVAL, 0, 0 },
        { "\xd9\xa1", -EINVAL, 0, 0 }, /* a digit of another script */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize len = strlen(rows[i].text);
        g_autofree char *text = memcpy(g_malloc(len + 1), rows[i].text, len);
        const char *at = text;
        guint64 number = 4711;

        CHECK(mn_number_parse(&at, text + len, &number) == rows[i].expected, "%s", rows[i].text);
        CHECK(number == (rows[i].expected < 0 ? 4711 : rows[i].number), "%s", rows[i].text);
        CHECK(at == text + rows[i].taken, "%s", rows[i].text);
    }
}

static void test_the_end_is_not_crossed(void) {
    const char *text = "123456", *at = text;
    guint64 number;

    CU_ASSERT_EQUAL(mn_number_parse(&at, text + 3, &number), 0);
    CU_ASSERT_EQUAL(number, 123);
    CU_ASSERT_PTR_EQUAL(at, text + 3);
}

static void test_digits(void) {
    static const struct {
        guint64 number;
        guint least;
        const char *expected;
    } rows[] = {
        { 0, 1, "0" },
        { 0, 0, "" },
        { 7, 1, "7" },
        { 10, 1, "10" },
        { 42, 6, "000042" },
        { 1234567, 6, "1234567" },
        { G_MAXUINT64, 1, "18446744073709551615" },
        { 1, MN_NUMBER_DIGITS_MAX, "00000000000000000001" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        char text[MN_NUMBER_DIGITS_MAX + 1] = "";
        const char *end = mn_number_put(text, rows[i].number, rows[i].least);

        CHECK(strcmp(text, rows[i].expected) == 0, "%s", rows[i].expected);
        CHECK(end == text + strlen(rows[i].expected), "%s", rows[i].expected);
    }
}

static void test_arithmetic_stops_at_the_ends(void) {
    CU_ASSERT_EQUAL(mn_add(G_MAXUINT64 - 1, 1), G_MAXUINT64);
    CU_ASSERT_EQUAL(mn_add(G_MAXUINT64 - 1, 2), G_MAXUINT64);
    CU_ASSERT_EQUAL(mn_subtract(5, 3), 2);
    CU_ASSERT_EQUAL(mn_subtract(3, 5), 0);
    CU_ASSERT_EQUAL(mn_multiply(3, 4096), 12288);
    CU_ASSERT_EQUAL(mn_multiply(G_MAXUINT64 / 4096, 4096), G_MAXUINT64 - 4095);
    CU_ASSERT_EQUAL(mn_multiply(G_MAXUINT64 / 4096 + 1, 4096), G_MAXUINT64);
    CU_ASSERT_EQUAL(mn_multiply(5, 0), 0);
}

static CU_TestInfo tests[] = {
    { "numbers, and what is none", test_numbers },
    { "the end is not crossed", test_the_end_is_not_crossed },
    { "digits of a number, with zeros in front", test_digits },
    { "arithmetic stops at the ends of 64 bits", test_arithmetic_stops_at_the_ends },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "number", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
