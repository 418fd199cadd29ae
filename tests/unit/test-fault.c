/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text that was refused, and the caret below it. */
#include "core/fault.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_shown(void) {
    static const struct {
        const char *text;
        gsize len, at;
        const char *shown;
    } rows[] = {
        { BYTES("usd 80%"), 0, "    usd 80%\n    ^\n" },
        { BYTES("usd 80%\n"), 0, "    usd 80%\n    ^\n" },
        { BYTES("usd 80%\n\0"), 0, "    usd 80%\n    ^\n" },
        { BYTES("used 10KB"), 7, "    used 10KB\n           ^\n" },
        { BYTES("used"), 4, "    used\n        ^\n" },
        { BYTES("used\n"), 5, "    used\n        ^\n" },
        { BYTES(""), 0, "    \n    ^\n" },
        { BYTES("\n"), 0, "    \n    ^\n" },
        /* one line and harmless, and the caret where it belongs */
        { BYTES("used 5\nfoo 6\n"), 7, "    used 5\\nfoo 6\n            ^\n" },
        { BYTES("used\t5 \033[31mfoo"), 12, "    used\\0115 \\033[31mfoo\n                      ^\n" },
        { BYTES("used\0 5"), 4, "    used\\000 5\n        ^\n" },
        { BYTES("caf\303\251 5"), 6, "    caf\303\251 5\n         ^\n" },
        { BYTES("us\377d 5"), 2, "    us\\377d 5\n      ^\n" },
        { BYTES("\342\200\256 5"), 4, "    \\342\\200\\256 5\n                 ^\n" },
        /* only the part that it is in, of whole characters */
        { BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaXb"), 40,
          "    ...aaaaaaaaaaaaaaaaaaaaXb\n"
          "                           ^\n" },
        { BYTES("a\303\251aaaaaaaaaaaaaaaaaaaXb"), 22,
          "    ...aaaaaaaaaaaaaaaaaaaXb\n"
          "                          ^\n" },
        { BYTES("Xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), 0,
          "    Xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...\n    ^\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) shown = g_string_new(NULL);
        g_autofree char *text = g_memdup2(rows[i].text, MAX(rows[i].len, 1)); /* not a byte more is read */
        MnFault fault = { 0 };

        CU_ASSERT_EQUAL(mn_fault_set(&fault, rows[i].at, "%s", "wrong"), -EINVAL);
        mn_fault_show(&fault, text, rows[i].len, shown);
        CHECK(strcmp(shown->str, rows[i].shown) == 0, "row %u:\n%s", i, shown->str);
    }
}

static void test_without_a_place(void) {
    g_autoptr(GString) shown = g_string_new("before\n");
    const MnFault fault = { 0 };

    mn_fault_show(&fault, "used 5\n", 7, shown);
    CU_ASSERT_STRING_EQUAL(shown->str, "before\n    used 5\n");
}

/* Of what is shown as more than it is, four bytes of a character that nobody should see are the worst. */
static void test_the_longest_fits(void) {
    static const char *const worst[] = { "x", "\033", "\377", "\363\240\200\201", "x\363\240\200\201" };

    for (guint i = 0; i < G_N_ELEMENTS(worst); i++)
        for (gsize at = 0; at <= 100; at++) {
            g_autoptr(GString) text = g_string_new(NULL);
            g_autoptr(GString) shown = g_string_new(NULL);
            MnFault fault;

            while (text->len < 1000)
                g_string_append(text, worst[i]);
            (void)mn_fault_set(&fault, at, "%s", "wrong");
            mn_fault_show(&fault, text->str, text->len, shown);
            CHECK(shown->len <= MN_FAULT_SHOWN_BYTES, "%u at %zu: %zu", i, at, shown->len);
        }
}

static void test_a_long_reason_is_cut(void) {
    g_autofree char *reason = g_strnfill(500, 'x');
    MnFault fault;

    (void)mn_fault_set(&fault, 0, "%s", reason);
    CU_ASSERT_EQUAL(strlen(fault.reason), MN_FAULT_REASON_BYTES - 1);
}

static void test_nobody_has_to_know(void) {
    CU_ASSERT_EQUAL(mn_fault_set(NULL, 3, "%s", "wrong"), -EINVAL);
}

static CU_TestInfo tests[] = {
    { "the text, and where it is wrong", test_shown }, { "without a place", test_without_a_place },
    { "the longest fits", test_the_longest_fits },     { "a long reason is cut", test_a_long_reason_is_cut },
    { "nobody has to know", test_nobody_has_to_know }, CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "fault", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
