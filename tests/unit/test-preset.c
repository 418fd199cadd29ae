/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of thresholds. */
#include "core/preset.h"
#include "limit-text.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static const MnMachine machine = { .page_bytes = 4096, .offered = (1U << MN_N_METERS) - 1 };

#define BYTES(literal) literal, sizeof(literal) - 1

static void write_down(guint line, const MnFault *fault, gpointer data) {
    g_string_append_printf(data, "%u:%zu %s\n", line, fault->at + 1, fault->reason);
}

/* "1 low used>=5\n", or what is wrong. */
static char *parse(const char *text, gsize len) {
    g_autofree char *copy = g_memdup2(text, MAX(len, 1)); /* not a byte more is read */
    g_autoptr(GPtrArray) presets = NULL;
    GString *found = g_string_new(NULL);
    int r;

    r = mn_presets_parse(copy, len, &machine, write_down, found, &presets);
    CU_ASSERT_TRUE(r == 0 || (r == -EINVAL && found->len > 0 && !presets));
    for (guint i = 0; presets && i < presets->len; i++) {
        const MnPreset *preset = g_ptr_array_index(presets, i);
        g_autofree char *limits = limit_set_print(&preset->limits);

        g_string_append_printf(found, "%u %s %s\n", preset->line, preset->name, limits);
    }
    return g_string_free(found, FALSE);
}

static void test_files(void) {
    static const struct {
        const char *text;
        gsize len;
        const char *expected;
    } rows[] = {
        { BYTES("low used 80%\n"), "1 low used>=80%\n" },
        { BYTES("low used 80%"), "1 low used>=80%\n" },
        { BYTES("\tlow\t used=80%,free<512M \r\n"), "1 low used>=80%,free<131072\n" },
        { BYTES("# first\n\n   # second\nlow used 80%# third\n\nhigh  used>90%"),
          "4 low used>=80%\n6 high used>90%\n" },
        { BYTES("a-b_c.d:e= used 5\n\303\274 used 6\n"), "1 a-b_c.d:e= used>=5\n2 \303\274 used>=6\n" },
        { BYTES("low used value=1 op=< limit=5 reached=0 crossings=0\n"), "1 low used<5\n" },
        { BYTES("used used 5\n"), "1 used used>=5\n" },
        { BYTES(""), "" },
        { BYTES("\n\n# nothing\n"), "" },

        { BYTES("low\n"), "1:4 a limit is missing behind the name, as in 'low available<10%'\n" },
        { BYTES("low # used 5\n"), "1:4 a limit is missing behind the name, as in 'low available<10%'\n" },
        { BYTES("low used 0\n"), "1:4 a limit is missing behind the name, as in 'low available<10%'\n" },
        { BYTES("low usd 80%\n"), "1:5 there is no meter of that name\n" },
        { BYTES("\nlow used 80%\n  high 80%\n"), "3:8 the name of a meter is missing before it, as in 'used 80%'\n" },
        { BYTES("low used\n80%\n"), "1:9 a number is missing at the end\n"
                                    "2:4 a limit is missing behind the name, as in 'low available<10%'\n" },
        { BYTES(".low used 5\nlow used 5\n- used 5\n\377 used 5\nb\001 used 5"),
          "1:1 no threshold can have this name\n3:1 no threshold can have this name\n"
          "4:1 no threshold can have this name\n5:1 no threshold can have this name\n" },
        { BYTES("low used 5\nhigh used 6\n low used 7\n"), "3:2 this name is already in line 1\n" },
        { BYTES("low used 5\0\nhigh used 5"), "1:1 there is a NUL in this line\n" },
        { BYTES("lo\0w used 5\n"), "1:1 there is a NUL in this line\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *found = parse(rows[i].text, rows[i].len);

        CHECK(strcmp(found, rows[i].expected) == 0, "%s gave %s", rows[i].text, found);
    }
}

static void test_a_name_of_64_bytes(void) {
    for (guint len = 64; len <= 65; len++) {
        g_autofree char *name = g_strnfill(len, 'a');
        g_autofree char *text = g_strdup_printf("%s used 5\n", name);
        g_autofree char *found = parse(text, strlen(text));

        CU_ASSERT_EQUAL(strstr(found, "no threshold can have this name") == NULL, len == 64);
    }
}

static CU_TestInfo tests[] = {
    { "names and limits, a line each", test_files },
    { "a name has 64 bytes at most", test_a_name_of_64_bytes },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "preset", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
