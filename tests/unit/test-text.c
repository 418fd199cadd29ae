/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others have written, as it is shown. */
#include "core/text.h"
#include "runner.h"

#include <string.h>

static char *show(const char *text) {
    GString *all = g_string_new(NULL);
    char shown[MN_TEXT_SHOWN_BYTES];

    while (*text)
        g_string_append_len(all, shown, mn_text_show_next(&text, shown));
    return g_string_free(all, FALSE);
}

static void test_what_is_shown(void) {
    static const struct {
        const char *what;
        const char *text;
        const char *shown;
    } rows[] = {
        { "nothing", "", "" },
        { "ASCII", " plain (1) \"text\"~", " plain (1) \"text\"~" },
        { "a backslash is the caller's", "a\\n", "a\\n" },
        { "letters of others", "Käse für 5 €, 日本 😀", "Käse für 5 €, 日本 😀" },
        { "the first that is not ASCII", "\u00a1", "\u00a1" },
        { "newlines", "a\nb\n", "a\\nb\\n" },
        { "other control characters", "\t\r\a\b\x01\x1f", "\\011\\015\\007\\010\\001\\037" },
        { "a terminal's sequence", "\x1b[31mred\x1b]0;title\x07", "\\033[31mred\\033]0;title\\007" },
        { "delete", "\x7f", "\\177" },
        { "control characters of Unicode",
          "\xc2\x80\xc2\x9b"
          "2J\xc2\x9f",
          "\\302\\200\\302\\2332J\\302\\237" },
        { "right to left", "a\u202egnp", "a\\342\\200\\256gnp" },
        { "isolated, marked, joined", "\u2066\u200f\u200d", "\\342\\201\\246\\342\\200\\217\\342\\200\\215" },
        { "separators of lines and paragraphs", "\u2028\u2029", "\\342\\200\\250\\342\\200\\251" },
        { "a byte order mark, a soft hyphen", "\ufeff\u00ad", "\\357\\273\\277\\302\\255" },
        { "tags, which nobody sees", "\U000e0041", "\\363\\240\\201\\201" },
        { "no character", "\uffff", "\\357\\277\\277" },
        { "bytes that begin nothing", "\x80\xbf\xfe\xff", "\\200\\277\\376\\377" },
        { "Latin 1", "K\xe4se", "K\\344se" },
        { "cut characters", "\xe2\x82 \xf0\x9f\x98", "\\342\\202 \\360\\237\\230" },
        { "a cut one before a newline", "\xe2\n", "\\342\\n" },
        { "longer than need be", "\xc0\x8a\xe0\x80\x8a", "\\300\\212\\340\\200\\212" },
        { "half of a pair", "\xed\xa0\x80", "\\355\\240\\200" },
        { "beyond Unicode", "\xf4\x90\x80\x80\xfc\x80\x80\x80\x80\x80",
          "\\364\\220\\200\\200\\374\\200\\200\\200\\200\\200" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = show(rows[i].text);

        CHECK(strcmp(shown, rows[i].shown) == 0, "%s: '%s'", rows[i].what, shown);
    }
}

/* Two bytes of every kind: printable ASCII, UTF-8 or octal comes out, never what went in. */
static void test_any_two_bytes(void) {
    for (guint i = 0x0101; i <= 0xffff; i++) {
        char text[] = { i >> 8, i & 0xff, '\0' };
        g_autofree char *copy = g_strdup(text); /* exactly so long, for a sanitizer */
        g_autofree char *shown = NULL;

        if (text[1] == '\0')
            continue;
        shown = show(copy);
        CHECK(g_utf8_validate(shown, -1, NULL) && strlen(shown) >= 2, "%04x", i);
        for (const char *at = shown; *at; at = g_utf8_next_char(at))
            CHECK(g_unichar_isprint(g_utf8_get_char(at)), "%04x is '%s'", i, shown);
    }
}

static void test_one_character_at_a_time(void) {
    const char *text = "a€\n\x1b", *at = text;
    char shown[MN_TEXT_SHOWN_BYTES];

    CU_ASSERT_EQUAL(mn_text_show_next(&at, shown), 1);
    CU_ASSERT_EQUAL(at - text, 1);
    CU_ASSERT_EQUAL(mn_text_show_next(&at, shown), 3);
    CU_ASSERT_EQUAL(at - text, 4);
    CU_ASSERT_EQUAL(mn_text_show_next(&at, shown), 2);
    CU_ASSERT_EQUAL(at - text, 5);
    CU_ASSERT_EQUAL(mn_text_show_next(&at, shown), 4);
    CU_ASSERT_EQUAL(at - text, 6);
    CU_ASSERT_EQUAL(*at, '\0');
}

static CU_TestInfo tests[] = {
    { "what is shown", test_what_is_shown },
    { "any two bytes", test_any_two_bytes },
    { "one character at a time", test_one_character_at_a_time },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "text", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
