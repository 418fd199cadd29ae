/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of any bytes in columns of a terminal. */
#include "columns.h"
#include "runner.h"

#include <locale.h>
#include <string.h>

static void check(const char *text, guint columns, const char *expected, guint used) {
    g_autoptr(GString) line = g_string_new(NULL);
    guint n = cmd_columns_append(line, text, columns);

    CHECK(strcmp(line->str, expected) == 0 && n == used, "'%s' in %u columns: '%s' in %u", text, columns, line->str, n);
}

static void test_utf8(void) {
    static const struct {
        const char *text;
        guint columns;
        const char *expected;
        guint used;
    } rows[] = {
        { "", 5, "", 0 },
        { "bash", 10, "bash", 4 },
        { "bash", 4, "bash", 4 },
        { "bash", 3, "bas", 3 },
        { "bash", 0, "", 0 },
        { "größe", 4, "größ", 4 },
        { "日本語", 6, "日本語", 6 },
        { "日本語", 5, "日本", 4 },
        { "a日", 2, "a", 1 },
        { "e\u0301x", 20, "e\\314\\201x", 10 }, /* has no column of its own */
        { "\u200bx", 20, "\\342\\200\\213x", 13 },
        { "\033[2J", 20, "\\033[2J", 7 },
        { "\033[2J", 3, "", 0 },
        { "a\nb", 20, "a\\nb", 4 },
        { "\xff\xfe", 20, "\\377\\376", 8 },
        { "\xc2\x9b"
          "2J",
          20, "\\302\\2332J", 10 }, /* the other way to write Escape [ */
    };

    CU_ASSERT_PTR_NOT_NULL_FATAL(setlocale(LC_CTYPE, "C.UTF-8"));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check(rows[i].text, rows[i].columns, rows[i].expected, rows[i].used);
}

static void test_ascii(void) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(setlocale(LC_CTYPE, "C"));
    check("größe", 20, "gr\\303\\266\\303\\237e", 19);
    check("größe", 10, "gr\\303\\266", 10);
    check("\033[2J", 20, "\\033[2J", 7);
}

static CU_TestInfo tests[] = {
    { "UTF-8", test_utf8 },
    { "ASCII", test_ascii },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "columns", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
