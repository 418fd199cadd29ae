/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar of the list of /proc/oom. */
#include "core/pidlist.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

/* The list as it is shown, or NULL when the text is refused. */
static char *parse(const char *text, gsize len) {
    g_autoptr(GString) shown = g_string_new(NULL);
    g_autoptr(GArray) pids = NULL;
    int r;

    r = mn_pid_list_parse(text, len, NULL, &pids);
    if (r < 0) {
        CHECK(r == -EINVAL && !pids, "'%s': %d", text, r);
        return NULL;
    }
    for (guint i = 0; i < pids->len; i++)
        mn_pid_list_append(shown, g_array_index(pids, pid_t, i));
    return g_string_free(g_steal_pointer(&shown), FALSE);
}

static void test_lists(void) {
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        { "11 22 33", "11 22 33 " },
        { "11 22 33\n", "11 22 33 " },
        { "11 22 33 \n", "11 22 33 " }, /* what a read has given */
        { "33 11 22", "33 11 22 " },
        { "", "" },
        { "\n", "" },
        { "  \n", "" },
        { "  11   22  ", "11 22 " },
        { "11\n22\n33\n", "11 22 33 " },
        { "11\t22\r\n", "11 22 " },
        { "7", "7 " },
        { "007", "7 " },
        { "11 22 11 33 22", "11 22 33 " },
        { "4194304", "4194304 " },
        { "2147483647", "2147483647 " },
        { "0", NULL },
        { "11 0", NULL },
        { "-11", NULL },
        { "+11", NULL },
        { "11,22", NULL },
        { "11 x", NULL },
        { "x 11", NULL },
        { "11x", NULL },
        { "0x11", NULL },
        { "1e3", NULL },
        { "11.", NULL },
        { "2147483648", NULL },
        { "4294967307", NULL },           /* 11 in 32 bits */
        { "18446744073709551627", NULL }, /* 11 in 64 bits */
        { "11 \xff", NULL },
        { "11\v22", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *shown = parse(rows[i].text, strlen(rows[i].text));

        CHECK(g_strcmp0(shown, rows[i].shown) == 0, "'%s' gives '%s'", rows[i].text, shown);
    }
}

static void test_one_final_nul_is_ignored(void) {
    g_autofree char *one = parse("11 22\0", 6), *two = parse("11 22\0\0", 7), *inside = parse("11\0 22", 6);
    g_autofree char *alone = parse("\0", 1);

    CU_ASSERT_STRING_EQUAL(one, "11 22 ");
    CU_ASSERT_PTR_NULL(two);
    CU_ASSERT_PTR_NULL(inside);
    CU_ASSERT_STRING_EQUAL(alone, "");
}

static void test_the_text_is_not_read_beyond_its_end(void) {
    g_autofree char *cut = parse("11 223", 5);

    CU_ASSERT_STRING_EQUAL(cut, "11 22 ");
}

static void test_as_long_as_64_kib(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *shown = NULL, *refused = NULL;

    for (guint pid = 1; text->len + 8 < MN_PID_LIST_TEXT_MAX; pid++)
        mn_pid_list_append(text, pid);
    while (text->len < MN_PID_LIST_TEXT_MAX)
        g_string_append_c(text, ' ');

    shown = parse(text->str, text->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    CU_ASSERT_EQUAL(strncmp(shown, text->str, strlen(shown)), 0);
    CU_ASSERT_TRUE(strlen(shown) + 8 >= MN_PID_LIST_TEXT_MAX - 8);

    g_string_append_c(text, ' ');
    refused = parse(text->str, text->len);
    CU_ASSERT_PTR_NULL(refused);
}

/* The shortest numbers that fill a text, each shown with the most digits a pid has. */
static void test_what_is_shown_has_room(void) {
    gsize n = 0, bytes = 0;

    for (guint pid = 1; bytes < MN_PID_LIST_TEXT_MAX; pid++, n++)
        bytes += snprintf(NULL, 0, "%u ", pid);
    CU_ASSERT_TRUE(n * strlen("4194304 ") + 1 <= MN_PID_LIST_SHOWN_MAX);
}

static CU_TestInfo tests[] = {
    { "lists and what is none", test_lists },
    { "one final NUL is ignored", test_one_final_nul_is_ignored },
    { "the text is not read beyond its end", test_the_text_is_not_read_beyond_its_end },
    { "as long as 64 KiB", test_as_long_as_64_kib },
    { "what is shown has room", test_what_is_shown_has_room },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "pidlist", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
