/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of mounts -> one text for Prometheus; and what is not let into it. */
#include "families.h"
#include "runner.h"

#include <string.h>

/* What memnotifyfs writes, and what is made of it. */
#define PLAIN "# TYPE memnotifyfs_used_bytes gauge\n# HELP memnotifyfs_used_bytes What is used.\n"
#define UNITS "# TYPE memnotifyfs_used_bytes gauge\n# UNIT memnotifyfs_used_bytes bytes\n"
#define UP "# TYPE memnotifyfs_up gauge\n# HELP memnotifyfs_up Whether the mount could be read.\n"
#define TYPE "# TYPE memnotifyfs_a gauge\n"
#define EOF_LINE "# EOF\n"

static ExpFamilies *read_text(MnExpositionFormat format, const char *text, const char *mount) {
    return exp_families_read(format, text, strlen(text), mount);
}

static gboolean add(ExpFamilies *all, MnExpositionFormat format, const char *text, const char *mount) {
    g_autoptr(ExpFamilies) own = read_text(format, text, mount);

    if (own)
        exp_families_add(all, own);
    exp_families_add_up(all, mount, own != NULL);
    return own != NULL;
}

static void check_print(const ExpFamilies *all, const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);

    exp_families_print(all, text);
    CHECK(strcmp(text->str, expected) == 0, "%s", text->str);
}

static void test_one(void) {
    g_autoptr(ExpFamilies) text = exp_families_new(MN_EXPOSITION_TEXT);
    g_autoptr(ExpFamilies) openmetrics = exp_families_new(MN_EXPOSITION_OPENMETRICS);

    CU_ASSERT(add(text, MN_EXPOSITION_TEXT, PLAIN "memnotifyfs_used_bytes 5\n", NULL));
    check_print(text, PLAIN "memnotifyfs_used_bytes 5\n" UP "memnotifyfs_up 1\n");
    CU_ASSERT(add(openmetrics, MN_EXPOSITION_OPENMETRICS, UNITS "memnotifyfs_used_bytes 5\n" EOF_LINE, NULL));
    check_print(openmetrics, UNITS "memnotifyfs_used_bytes 5\n" UP "memnotifyfs_up 1\n" EOF_LINE);
}

static void test_several(void) {
    g_autoptr(ExpFamilies) all = exp_families_new(MN_EXPOSITION_TEXT);

    CU_ASSERT(add(all, MN_EXPOSITION_TEXT, PLAIN "memnotifyfs_used_bytes 1\n", "one"));
    CU_ASSERT(add(all, MN_EXPOSITION_TEXT,
                  TYPE "memnotifyfs_a{threshold=\"l,}\\\"w\",op=\">=\"} 2\nmemnotifyfs_a{threshold=\"b\"} 3.25\n" PLAIN
                       "memnotifyfs_used_bytes 4\n",
                  "two"));
    CU_ASSERT(!add(all, MN_EXPOSITION_TEXT, "nonsense\n", "three"));
    check_print(all, PLAIN "memnotifyfs_used_bytes{mount=\"one\"} 1\nmemnotifyfs_used_bytes{mount=\"two\"} 4\n" UP
                           "memnotifyfs_up{mount=\"one\"} 1\nmemnotifyfs_up{mount=\"two\"} 1\n"
                           "memnotifyfs_up{mount=\"three\"} 0\n" TYPE
                           "memnotifyfs_a{mount=\"two\",threshold=\"l,}\\\"w\",op=\">=\"} 2\n"
                           "memnotifyfs_a{mount=\"two\",threshold=\"b\"} 3.25\n");
}

/* The first text says what a family is. */
static void test_different_heads(void) {
    g_autoptr(ExpFamilies) all = exp_families_new(MN_EXPOSITION_TEXT);

    CU_ASSERT(add(all, MN_EXPOSITION_TEXT, TYPE "memnotifyfs_a 1\n", "one"));
    CU_ASSERT(add(all, MN_EXPOSITION_TEXT,
                  "# TYPE memnotifyfs_a counter\n# HELP memnotifyfs_a Other.\nmemnotifyfs_a 2\n", "two"));
    check_print(all, TYPE "memnotifyfs_a{mount=\"one\"} 1\nmemnotifyfs_a{mount=\"two\"} 2\n" UP
                          "memnotifyfs_up{mount=\"one\"} 1\nmemnotifyfs_up{mount=\"two\"} 1\n");
}

/* There is an end, and nobody is up. */
static void test_nothing(void) {
    g_autoptr(ExpFamilies) all = exp_families_new(MN_EXPOSITION_OPENMETRICS);

    CU_ASSERT(!add(all, MN_EXPOSITION_OPENMETRICS, "", NULL));
    check_print(all, UP "memnotifyfs_up 0\n" EOF_LINE);
}

static void test_taken(void) {
    static const char *const texts[] = {
        TYPE,
        TYPE "memnotifyfs_a 0\n",
        TYPE "memnotifyfs_a 18446744073709551615\n",
        TYPE "memnotifyfs_a 12.000034\n",
        TYPE "memnotifyfs_a{b=\"\"} 1\n",
        TYPE "memnotifyfs_a{b_2=\"\xc3\xa4 \\n\\\\\",c=\"{}\"} 1\n",
        "# HELP memnotifyfs_a Text, with # TYPE in it.\n" TYPE "memnotifyfs_a 1\n",
        "# TYPE memnotifyfs_a_total counter\nmemnotifyfs_a_total 1\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(ExpFamilies) own = read_text(MN_EXPOSITION_TEXT, texts[i], "m");

        CHECK(own != NULL, "%s", texts[i]);
    }
}

static void check_refused(MnExpositionFormat format, const char *const *texts, guint n) {
    for (guint i = 0; i < n; i++) {
        g_autoptr(ExpFamilies) own = read_text(format, texts[i], "m");

        CHECK(own == NULL, "%s", texts[i]);
    }
}

static void test_hostile_heads(void) {
    static const char *const texts[] = {
        "",
        "\n",
        "#\n",
        "# EOF\n",
        "# comment\n" TYPE,
        "\n" TYPE,
        TYPE "\n",
        "# TYPE a gauge\n",
        "# TYPE memnotifyfs gauge\n",
        "# TYPE node_memory gauge\nnode_memory 1\n",
        "# TYPE memnotifyfs_A gauge\n",
        "# TYPE memnotifyfs_a{} gauge\n",
        "# TYPE memnotifyfs_a\n",
        "# TYPE memnotifyfs_a \n",
        "# TYPE memnotifyfs_a histogram\n",
        "# TYPE memnotifyfs_a gauge \n",
        "# TYPE memnotifyfs_a info\n", /* there are none in this format */
        "# UNIT memnotifyfs_a_bytes bytes\n",
        "#  TYPE memnotifyfs_a gauge\n",
        "# type memnotifyfs_a gauge\n",
        TYPE "# HELP memnotifyfs_a \\x\n",
        TYPE TYPE,
        TYPE "memnotifyfs_a 1\n" TYPE,
        TYPE "memnotifyfs_a 1\n# HELP memnotifyfs_a Late.\n",
        TYPE "# TYPE memnotifyfs_b gauge\n" TYPE,
        UP "memnotifyfs_up 1\n",
        "# TYPE memnotifyfs_up gauge\n",
        TYPE "memnotifyfs_a 1\n# EOF\n",
    };

    check_refused(MN_EXPOSITION_TEXT, texts, G_N_ELEMENTS(texts));
}

static void test_hostile_samples(void) {
    static const char *const texts[] = {
        "memnotifyfs_a 1\n", /* of what? */
        "# HELP memnotifyfs_a Help.\nmemnotifyfs_a 1\n",
        TYPE "memnotifyfs_a 1",
        TYPE "memnotifyfs_b 1\n",
        TYPE "memnotifyfs_ab 1\n",
        TYPE "memnotifyfs_a_total 1\n",
        TYPE "memnotifyfs_a_info 1\n",
        TYPE "# TYPE memnotifyfs_b gauge\nmemnotifyfs_a 1\n",
        TYPE "memnotifyfs_a 1\nmemnotifyfs_a 2\n",
        TYPE "memnotifyfs_a{b=\"c\"} 1\nmemnotifyfs_a{b=\"c\"} 1\n",
        TYPE "memnotifyfs_a{mount=\"other\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\",mount=\"other\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\",b=\"d\"} 1\n",
        TYPE "memnotifyfs_a{} 1\n",
        TYPE "memnotifyfs_a{ 1\n",
        TYPE "memnotifyfs_a} 1\n",
        TYPE "memnotifyfs_a{b} 1\n",
        TYPE "memnotifyfs_a{b=c} 1\n",
        TYPE "memnotifyfs_a{=\"c\"} 1\n",
        TYPE "memnotifyfs_a{1b=\"c\"} 1\n",
        TYPE "memnotifyfs_a{_b=\"c\"} 1\n",
        TYPE "memnotifyfs_a{__name__=\"b\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\",} 1\n",
        TYPE "memnotifyfs_a{,b=\"c\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\"d=\"e\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c} 1\n",
        TYPE "memnotifyfs_a{b=\"c\n\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\\\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\\",
        TYPE "memnotifyfs_a{b=\"c\\\n",
        TYPE "memnotifyfs_a{b=\"\\x\"} 1\n",
        TYPE "memnotifyfs_a{b=\"c\"\n",
        TYPE "memnotifyfs_a{b=\"\xff\"} 1\n",
        TYPE "memnotifyfs_a{b=\"\xc3\"} 1\n",
        TYPE "\xc3\xa4 1\n",
    };

    check_refused(MN_EXPOSITION_TEXT, texts, G_N_ELEMENTS(texts));
}

static void test_hostile_values(void) {
    static const char *const values[] = { "",     " ",    "  1",  " x",   " -1",    " +1",  " 1 ",   " 1 2",
                                          " 1.",  " .1",  " 1.x", " 1e5", " 1e999", " inf", " NaN",  " 0x10",
                                          " 1_0", " 1,5", "\t1",  " 1\r", " 1\t",   "1",    " 1 # x" };
    g_autofree char *digits = g_strnfill(400, '9'), *number = g_strconcat(TYPE "memnotifyfs_a ", digits, "\n", NULL);
    const char *numbers[] = { number };

    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = g_strconcat(TYPE "memnotifyfs_a", values[i], "\n", NULL);
        const char *texts[] = { text };

        check_refused(MN_EXPOSITION_TEXT, texts, 1);
    }
    check_refused(MN_EXPOSITION_TEXT, numbers, 1);
}

static void test_openmetrics(void) {
    static const char *const taken[] = {
        EOF_LINE,
        UNITS "memnotifyfs_used_bytes 1\n" EOF_LINE,
        "# TYPE memnotifyfs_a counter\nmemnotifyfs_a_total 1\n" EOF_LINE,
        "# TYPE memnotifyfs_a info\nmemnotifyfs_a_info{version=\"1\"} 1\n" EOF_LINE,
    };
    static const char *const refused[] = {
        TYPE,
        TYPE "memnotifyfs_a 1\n",
        TYPE "# EOF",
        TYPE EOF_LINE EOF_LINE,
        TYPE EOF_LINE "memnotifyfs_a 1\n",
        TYPE EOF_LINE "\n",
        "# TYPE memnotifyfs_a counter\nmemnotifyfs_a 1\n" EOF_LINE,
        "# TYPE memnotifyfs_a info\nmemnotifyfs_a 1\n" EOF_LINE,
        TYPE "memnotifyfs_a_total 1\n" EOF_LINE,
        TYPE "# UNIT memnotifyfs_a bytes\n" EOF_LINE,
        TYPE "# UNIT memnotifyfs_a a\n# UNIT memnotifyfs_a a\n" EOF_LINE,
        TYPE "# UNIT memnotifyfs_a \n" EOF_LINE,
        "# UNIT memnotifyfs_a memnotifyfs_a\n" EOF_LINE,
        "# TYPE memnotifyfs_up gauge\nmemnotifyfs_up 1\n" EOF_LINE,
    };

    for (guint i = 0; i < G_N_ELEMENTS(taken); i++) {
        g_autoptr(ExpFamilies) own = read_text(MN_EXPOSITION_OPENMETRICS, taken[i], NULL);

        CHECK(own != NULL, "%s", taken[i]);
    }
    check_refused(MN_EXPOSITION_OPENMETRICS, refused, G_N_ELEMENTS(refused));
}

static void test_nul(void) {
    static const char text[] = TYPE "memnotifyfs_a 1\n\0memnotifyfs_b 1\n";

    CU_ASSERT_PTR_NULL(exp_families_read(MN_EXPOSITION_TEXT, text, sizeof text - 1, NULL));
    CU_ASSERT_PTR_NULL(exp_families_read(MN_EXPOSITION_TEXT, "\0\n", 2, NULL));
}

/* So many families, or so many labels of a sample. */
static gboolean is_taken(guint n_families, guint n_labels) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(ExpFamilies) own = NULL;

    for (guint i = 0; i < n_families; i++)
        g_string_append_printf(text, "# TYPE memnotifyfs_f%u gauge\nmemnotifyfs_f%u 1\n", i, i);
    g_string_append(text, TYPE "memnotifyfs_a");
    for (guint i = 0; i < n_labels; i++)
        g_string_append_printf(text, "%sl%u=\"\"", i > 0 ? "," : "{", i);
    g_string_append(text, "} 1\n");
    own = exp_families_read(MN_EXPOSITION_TEXT, text->str, text->len, "m");
    return own != NULL;
}

static void test_many(void) {
    CU_ASSERT(is_taken(999, 1));
    CU_ASSERT(!is_taken(2000, 1));
    CU_ASSERT(is_taken(1, 16));
    CU_ASSERT(!is_taken(1, 17));
}

static CU_TestInfo tests[] = {
    { "one mount", test_one },
    { "several mounts: labels, and families in one piece", test_several },
    { "the first says what a family is", test_different_heads },
    { "no mount", test_nothing },
    { "texts that are taken", test_taken },
    { "hostile: what is said of a family", test_hostile_heads },
    { "hostile: samples", test_hostile_samples },
    { "hostile: values", test_hostile_values },
    { "OpenMetrics: suffixes, units, the end", test_openmetrics },
    { "hostile: NUL", test_nul },
    { "hostile: too many", test_many },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "families", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
