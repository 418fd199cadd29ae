/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "markup.h"
#include "runner.h"

static void test_texts_are_escaped(void) {
    static const struct {
        const char *text, *html;
    } rows[] = {
        { "plain", "<a title=\"plain\">plain</a>" },
        { "<script>", "<a title=\"&lt;script&gt;\">&lt;script&gt;</a>" },
        { "\"'&", "<a title=\"&quot;&apos;&amp;\">&quot;&apos;&amp;</a>" },
        { "%s", "<a title=\"%s\">%s</a>" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) page = g_string_new(NULL);

        cmd_markup_append(page, "<a title=\"%s\">%s</a>", rows[i].text, rows[i].text);
        CHECK(g_str_equal(page->str, rows[i].html), "%s", page->str);
    }
}

static void test_numbers(void) {
    static const struct {
        double number;
        guint decimals;
        const char *text;
    } rows[] = {
        { 0, 2, "0" },        { 10, 0, "10" },   { 100, 1, "100" },          { 1.5, 2, "1.5" },
        { 1.256, 2, "1.26" }, { 0.001, 2, "0" }, { 1e300, 2, "1000000000" }, { -2.25, 1, "-2.2" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) page = g_string_new(NULL);

        cmd_markup_append_number(page, rows[i].number, rows[i].decimals);
        CHECK(g_str_equal(page->str, rows[i].text), "%s, not %s", page->str, rows[i].text);
    }
}

static void test_json_does_not_end_the_script(void) {
    g_autoptr(GString) page = g_string_new(NULL);

    cmd_markup_append_json(page, "{\"a\":\"</script><!--\"}");
    CU_ASSERT_STRING_EQUAL(page->str, "{\"a\":\"\\u003c/script>\\u003c!--\"}");
}

/* As `printf 'alert(1)' | openssl dgst -sha256 -binary | base64` has it. */
static void test_hashes(void) {
    g_autofree char *hash = cmd_markup_hash("alert(1)");

    CU_ASSERT_STRING_EQUAL(hash, "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
}

int main(void) {
    CU_TestInfo tests[] = {
        { "texts are escaped", test_texts_are_escaped },
        { "numbers", test_numbers },
        { "JSON does not end the script", test_json_does_not_end_the_script },
        { "hashes", test_hashes },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "markup", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
