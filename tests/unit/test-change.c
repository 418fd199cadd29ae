/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts whose numbers change, and back. */
#include "core/change.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static void check_change(const char *before, const char *now, gboolean is_change, guint most_bytes) {
    g_autoptr(GByteArray) change = g_byte_array_new();
    g_auto(MnForm) writer = { 0 }, reader = { 0 };

    mn_form_init(&writer);
    mn_form_init(&reader);
    mn_form_set(&writer, before, strlen(before));
    mn_form_set(&reader, before, strlen(before));

    CHECK(mn_form_change(&writer, now, strlen(now), change) == is_change, "'%s' -> '%s'", before, now);
    if (!is_change) {
        CHECK(strcmp(writer.text->str, before) == 0 && change->len == 0, "'%s' is left alone", before);
        return;
    }
    CHECK(change->len <= most_bytes, "'%s' -> '%s': %u bytes", before, now, change->len);
    CHECK(mn_form_apply(&reader, change->data, change->len) == 0, "'%s' -> '%s'", before, now);
    CHECK(strcmp(reader.text->str, now) == 0, "'%s' -> '%s': '%s'", before, now, reader.text->str);
    CHECK(strcmp(writer.text->str, now) == 0, "'%s' -> '%s': '%s'", before, now, writer.text->str);
}

static void test_changes(void) {
    static const struct {
        const char *before, *now;
        guint most_bytes;
    } rows[] = {
        { "", "", 1 },
        { "words", "words", 1 },
        { "MemFree:   100 kB\n", "MemFree:   101 kB\n", 3 },
        { "MemFree:   100 kB\n", "MemFree:    99 kB\n", 5 }, /* at the right */
        { "MemFree:     9 kB\n", "MemFree: 1000000 kB\n", 9 },
        { "nr_free 9\nnr_dirty 7\n", "nr_free 10\nnr_dirty 7\n", 3 },
        { "nr_free 9\nnr_dirty 7\n", "nr_free 9\nnr_dirty 0\n", 3 },
        { "avg10=0.05 total=7", "avg10=0.10 total=7", 3 },
        { "avg10=9.95 total=7", "avg10=10.05 total=8", 10 },
        { "0", "9999999999999999999", 12 },
        { "9999999999999999999", "0", 12 },
        { "12345678901234567890123", "12345678901234567890124", 3 }, /* more digits than a number has */
        { "a  1", "a 01", 5 },
        { "1 2", "3  4", 8 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_change(rows[i].before, rows[i].now, TRUE, rows[i].most_bytes);
}

static void test_other_words(void) {
    static const char *const rows[][2] = {
        { "", "1" },
        { "1", "" },
        { "1 kB", "1 MB" },
        { "max\n", "1\n" },
        { "a 1 b", "a 1" },
        { "a 1", "a 1 2" },
        { "a 1 b 2 c", "a 1 bb 2 c" },
        { "a\t1", "a 1" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_change(rows[i][0], rows[i][1], FALSE, 0);
}

/* What was never a change of this text. */
static void test_damage(void) {
    static const struct {
        const char *bytes;
        gsize len;
    } rows[] = {
        { "", 0 },
        { "\1", 1 }, /* cut */
        { "\1\0", 2 },
        { "\1\4\2", 3 },      /* there is no third number */
        { "\2\2\2\0\2", 5 },  /* nor one behind the last */
        { "\1\1\2\1", 4 },    /* a layout that is cut */
        { "\1\1\2\1\24", 5 }, /* 20 digits */
        { "\1\1\70\1\1", 5 }, /* 29 has two */
        { "\1\0\2\0", 4 },    /* and more */
        { "\200\200\200\200\200\200\200\200\200\200\1", 11 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(MnForm) form = { 0 };

        mn_form_init(&form);
        mn_form_set(&form, "a 1 b 2", 7);
        CHECK(mn_form_apply(&form, (const guint8 *)rows[i].bytes, rows[i].len) == -EBADMSG, "row %u", i);
        CHECK(strcmp(form.text->str, "a 1 b 2") == 0, "row %u: '%s'", i, form.text->str);
    }
}

static void test_varints(void) {
    static const guint64 rows[] = { 0, 1, 127, 128, 300, G_MAXUINT32, (guint64)1 << 63, G_MAXUINT64 };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        const guint8 *at;
        guint64 number = 1;

        mn_varint_put(bytes, rows[i]);
        at = bytes->data;
        CHECK(mn_varint_take(&at, bytes->data + bytes->len - 1, &number) == -EBADMSG, "row %u, cut", i);
        CHECK(mn_varint_take(&at, bytes->data + bytes->len, &number) == 0 && number == rows[i], "row %u", i);
        CHECK(at == bytes->data + bytes->len, "row %u", i);
    }
}

static CU_TestInfo tests[] = {
    { "changes", test_changes }, { "other words", test_other_words },
    { "damage", test_damage },   { "varints", test_varints },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "change", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
