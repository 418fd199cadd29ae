/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits and overrides as users write them. */
#include "core/limit.h"
#include "limit-text.h"
#include "runner.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <string.h>

/* `mlocked` is a meter that this machine does not have. */
static const MnMachine machine = {
    .page_bytes = 4096,
    .offered = ((1U << MN_N_METERS) - 1) & ~MN_METER_BIT(MN_METER_MLOCKED),
};

typedef struct Row {
    const char *text;
    gsize len;            /* 0 for strlen(text) */
    const char *expected; /* printed; NULL for -EINVAL */
} Row;

#define BYTES(literal) literal, sizeof(literal) - 1

/* A copy of exactly that length, so that a sanitizer sees who reads beyond it. */
static char *exact_copy(const Row *row, gsize *ret_len) {
    *ret_len = row->len > 0 ? row->len : strlen(row->text);
    return memcpy(g_malloc(MAX(*ret_len, 1)), row->text, *ret_len);
}

static void check_set(const Row *row, int r, const MnLimitSet *set, const MnLimitSet *before) {
    g_autofree char *printed = NULL;

    CHECK(r == (row->expected ? 0 : -EINVAL), "%s", row->text);
    if (r < 0) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) not a byte of it is to be written */
        CHECK(memcmp(set, before, sizeof *set) == 0, "%s", row->text);
        return;
    }
    printed = limit_set_print(set);
    CHECK(g_strcmp0(printed, row->expected) == 0, "%s gave %s", row->text, printed);
}

static void check_sets(const Row *rows, gsize n_rows) {
    for (gsize i = 0; i < n_rows; i++) {
        MnLimitSet set, before;
        gsize len;
        g_autofree char *text = exact_copy(&rows[i], &len);
        int r;

        memset(&before, 0x5a, sizeof before);
        set = before;
        r = mn_limit_set_parse(text, len, &machine, &set);
        check_set(&rows[i], r, &set, &before);
    }
}

static void test_forms(void) {
    static const Row rows[] = {
        { "used 5000", 0, "used>=5000" },
        { "used 5000\n", 0, "used>=5000" },
        { "used=5000", 0, "used>=5000" },
        { "used:5000", 0, "used>=5000" },
        { "used,5000", 0, "used>=5000" },
        { "used\t5000\r\n", 0, "used>=5000" },
        { "  used   5000  ", 0, "used>=5000" },
        { "used 5000 active 8000 total 1", 0, "used>=5000,active>=8000,total>=1" },
        { "used=5000,active:8000", 0, "used>=5000,active>=8000" },
        { "used\n5000\nactive\n8000\n", 0, "used>=5000,active>=8000" },
        { "active 8000 used 16000", 0, "active>=8000,used>=16000" },
        { "swap_free 7 slab_reclaimable 8", 0, "swap_free>=7,slab_reclaimable>=8" },
        { "used 00007", 0, "used>=7" },
        { "used 18446744073709551615", 0, "used>=18446744073709551615" },
        { "used 0", 0, "" },
        { "used 0%", 0, "" },
        { "used 0K active 3", 0, "active>=3" },
        { "", 0, "" },
        { "\n", 0, "" },
        { " \t\r\n=:,", 0, "" },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_the_text_of_a_read_is_a_valid_write(void) {
    static const Row rows[] = {
        { "used 89123 active 45678 total 6171024\n", 0, "used>=89123,active>=45678,total>=6171024" },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_operators(void) {
    static const Row rows[] = {
        { "used >= 5", 0, "used>=5" },
        { "used>=5", 0, "used>=5" },
        { "used >=5", 0, "used>=5" },
        { "used>= 5", 0, "used>=5" },
        { "used=>=5", 0, "used>=5" },
        { "free<5", 0, "free<5" },
        { "free < 10%", 0, "free<10%" },
        { "free <\t5 used >=\t6", 0, "free<5,used>=6" },
        { "free <0", 0, "" },
        { "free <= 5", 0, NULL },
        { "free<=512M", 0, NULL },
        { "free <\v5", 0, NULL },
        { "used >= = 5", 0, NULL },
        { "used >=, 5", 0, NULL },
        { "free <: 5", 0, NULL },
        { "free <free 5", 0, NULL },
        { "used > 5", 0, NULL },
        { "used >> 5", 0, NULL },
        { "used >=< 5", 0, NULL },
        { "used <>= 5", 0, NULL },
        { "free <", 0, NULL },
        { "used >=", 0, NULL },
        { "used >=\n", 0, NULL },
        { "< 5", 0, NULL },
        { ">= used 5", 0, NULL },
        { "used 5 >=", 0, NULL },
        { "used != 5", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_units(void) {
    static const Row rows[] = {
        { "used 4K", 0, "used>=1" },
        { "used 4k", 0, "used>=1" },
        { "used 1M", 0, "used>=256" },
        { "used 1m", 0, "used>=256" },
        { "used 1G", 0, "used>=262144" },
        { "used 1g", 0, "used>=262144" },
        { "used 1T", 0, "used>=268435456" },
        { "used 1t", 0, "used>=268435456" },
        { "used 80%", 0, "used>=80%" },
        { "used 100%", 0, "used>=100%" },
        { "used 1%", 0, "used>=1%" },
        { "used 10X", 0, NULL },
        { "used 10KB", 0, NULL },
        { "used 10kB", 0, NULL },
        { "used 10Ki", 0, NULL },
        { "used 10 K", 0, NULL },
        { "used K", 0, NULL },
        { "used %", 0, NULL },
        { "used 50 %", 0, NULL },
        { "used 50%%", 0, NULL },
        { "used 50%K", 0, NULL },
        { "used 50K%", 0, NULL },
        { "used 101%", 0, NULL },
        { "used 256%", 0, NULL },
        { "used 18446744073709551615%", 0, NULL },
        { "used 1P", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_bytes_are_rounded_up_to_pages(void) {
    static const Row rows[] = {
        { "used 1K", 0, "used>=1" }, { "used 3K", 0, "used>=1" }, { "used 5K", 0, "used>=2" },
        { "used 8K", 0, "used>=2" }, { "used 9K", 0, "used>=3" }, { "free<5K", 0, "free<2" },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_the_largest_of_each_unit_fits_and_the_next_overflows(void) {
    static const Row rows[] = {
        { "used 18446744073709551615", 0, "used>=18446744073709551615" },
        { "used 18446744073709551616", 0, NULL },
        { "used 18446744073709551620", 0, NULL },
        { "used 184467440737095516150", 0, NULL },
        { "used 99999999999999999999999999999999999999999999999999", 0, NULL },
        { "used 18014398509481983K", 0, "used>=4503599627370496" },
        { "used 18014398509481984K", 0, NULL },
        { "used 17592186044415M", 0, "used>=4503599627370240" },
        { "used 17592186044416M", 0, NULL },
        { "used 17179869183G", 0, "used>=4503599627108352" },
        { "used 17179869184G", 0, NULL },
        { "used 16777215T", 0, "used>=4503599358935040" },
        { "used 16777216T", 0, NULL },
        { "used 18446744073709551615T", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_bad_text_is_refused_and_changes_nothing(void) {
    static const Row rows[] = {
        { "unused 5", 0, NULL },
        { "use 5", 0, NULL },
        { "usedd 5", 0, NULL },
        { "Used 5", 0, NULL },
        { "USED 5", 0, NULL },
        { "used_ 5", 0, NULL },
        { "usedactive 9", 0, NULL },
        { "5000", 0, NULL },
        { "5000 used", 0, NULL },
        { "used", 0, NULL },
        { "used ", 0, NULL },
        { "used active 5", 0, NULL },
        { "used,active 100 200", 0, NULL },
        { "used 5 active", 0, NULL },
        { "used 5 6", 0, NULL },
        { "used5", 0, NULL },
        { "used -5", 0, NULL },
        { "used +5", 0, NULL },
        { "used - 5", 0, NULL },
        { "used -", 0, NULL },
        { "used 0x10", 0, NULL },
        { "used 1.5", 0, NULL },
        { "used 1e3", 0, NULL },
        { "used 5;", 0, NULL },
        { "used 5 used 6", 0, NULL },
        { "used 5 used 5", 0, NULL },
        { "used 0 used 5", 0, NULL },
        { "used 5 active 6 used 0", 0, NULL },
        { "used 5 active x", 0, NULL },
        { "used 5 nonsense 6", 0, NULL },
        { "used 5active 6", 0, NULL },
        { "used 5Kactive 6", 0, NULL },
        { "used 5%active 6", 0, NULL },
        { "reset", 0, NULL },
        { "_", 0, NULL },
        { "used \xc3\xa9", 0, NULL },
        { "used 5 \xc3", 0, NULL }, /* half a character */
        { "us\xc3\xa9"
          "d 5",
          0, NULL },
        { "used 5\xe2\x82", 0, NULL },
        { "used\xc2\xa0"
          "5",
          0, NULL },                  /* a no-break space */
        { "used \xd9\xa5", 0, NULL }, /* a digit of another script */
        { "\xff\xfe used 5", 0, NULL },
        { "\x7f\x45\x4c\x46\x02\x01\x01", 0, NULL },
        { "used 5\v", 0, NULL },
        { "used 5\x1b[0m", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_a_meter_that_is_not_offered_is_unknown(void) {
    static const Row rows[] = {
        { "mlocked 5", 0, NULL },
        { "used 5 mlocked 5", 0, NULL },
        { "mlocked 0", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_one_final_nul_is_ignored(void) {
    static const Row rows[] = {
        { BYTES("used 5\0"), "used>=5" },
        { BYTES("used 5\n\0"), "used>=5" },
        { BYTES("\0"), "" },
        { BYTES("used 5\0\0"), NULL },
        { BYTES("\0\0"), NULL },
        { BYTES("used\0 5"), NULL },
        { BYTES("used \0005"), NULL },
        { BYTES("used 5\0\n"), NULL },
        { BYTES("used 5\0active 6"), NULL },
        { BYTES("\0used 5"), NULL },
        { BYTES("used 5 active\0"), NULL },
        { BYTES("used\0"), NULL },
        { BYTES("used 1\0K"), NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_length(void) {
    static const struct {
        gsize len;
        int expected;
    } rows[] = { { 4094, 0 }, { 4095, 0 }, { 4096, -EINVAL }, { 5000, -EINVAL }, { 131072, -EINVAL } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_malloc(rows[i].len);
        MnLimitSet set = { 0 };

        memset(text, ' ', rows[i].len);
        memcpy(text + rows[i].len - 6, "used 5", 6);
        CHECK(mn_limit_set_parse(text, rows[i].len, &machine, &set) == rows[i].expected, "%zu bytes", rows[i].len);
        CHECK(set.n == (rows[i].expected == 0), "%zu bytes", rows[i].len);
    }
}

static void test_a_number_may_be_as_long_as_the_text(void) {
    g_autofree char *text = g_strdup_printf("used %04090d", 7);
    MnLimitSet set;

    CU_ASSERT_EQUAL(strlen(text), MEMNOTIFYFS_LIMITS_MAX);
    CU_ASSERT_EQUAL(mn_limit_set_parse(text, strlen(text), &machine, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 7);
}

static void test_all_meters_at_once(void) {
    static const MnMachine everything = { .page_bytes = 4096, .offered = (1U << MN_N_METERS) - 1 };
    g_autoptr(GString) text = g_string_new(NULL);
    MnLimitSet set;

    for (guint id = 0; id < MN_N_METERS; id++)
        g_string_append_printf(text, "%s < %u\n", mn_meters[id].name, id + 1);

    CU_ASSERT_EQUAL(mn_limit_set_parse(text->str, text->len, &everything, &set), 0);
    CU_ASSERT_EQUAL(set.n, MN_N_METERS);
    CU_ASSERT_EQUAL(set.named, everything.offered);
    for (guint id = 0; id < MN_N_METERS; id++)
        CHECK(set.limits[id].meter == id && set.limits[id].op == MN_OP_BELOW && set.limits[id].pages == id + 1, "%s",
              mn_meters[id].name);
}

static void test_zero_is_named_but_not_tracked(void) {
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse("used 0 active 7", 15, &machine, &set), 0);
    CU_ASSERT_EQUAL(set.named, MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_ACTIVE));
    CU_ASSERT_EQUAL(set.n, 1);
}

static void test_one_limit_without_a_name(void) {
    static const Row rows[] = {
        { "5000", 0, "anon>=5000" },
        { "5000\n", 0, "anon>=5000" },
        { ">= 80%", 0, "anon>=80%" },
        { ">=80%\n", 0, "anon>=80%" },
        { "<512M", 0, "anon<131072" },
        { " < 1 ", 0, "anon<1" },
        { BYTES("5\0"), "anon>=5" },
        { "0", 0, "" },
        { "", 0, "" },
        { "\n", 0, "" },
        { "anon 5", 0, NULL },
        { "5 6", 0, NULL },
        { "5,5", 0, NULL },
        { "2%~", 0, NULL },
        { "5 >= 6", 0, NULL },
        { "<= 5", 0, NULL },
        { "<", 0, NULL },
        { "> 5", 0, NULL },
        { "-5", 0, NULL },
        { "10X", 0, NULL },
        { "101%", 0, NULL },
        { "18446744073709551616", 0, NULL },
        { "16777216T", 0, NULL },
        { BYTES("5\0006"), NULL },
        { "5\xc3", 0, NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnLimitSet set, before;
        gsize len;
        g_autofree char *text = exact_copy(&rows[i], &len);
        int r;

        memset(&before, 0x5a, sizeof before);
        set = before;
        r = mn_limit_set_parse_one(text, len, &machine, MN_METER_ANON, &set);
        check_set(&rows[i], r, &set, &before);
    }
}

static void test_one_limit_of_5000_bytes(void) {
    g_autofree char *text = g_strnfill(5000, '1');
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse_one(text, 5000, &machine, MN_METER_USED, &set), -EINVAL);
}

static void test_percent_is_rounded_up(void) {
    static const struct {
        guint percent;
        guint64 total, expected;
    } rows[] = {
        { 80, 100, 80 },
        { 80, 101, 81 },
        { 50, 101, 51 },
        { 1, 1, 1 },
        { 1, 99, 1 },
        { 1, 100, 1 },
        { 1, 101, 2 },
        { 99, 1, 1 },
        { 33, 1000, 330 },
        { 33, 1001, 331 },
        { 100, 7, 7 },
        { 100, 6171024, 6171024 },
        { 100, G_MAXUINT64, G_MAXUINT64 },
        { 50, G_MAXUINT64, G_GUINT64_CONSTANT(1) << 63 },
        { 99, G_MAXUINT64, G_GUINT64_CONSTANT(18262276632972456099) },
        { 80, 0, 1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnLimit limit = { .percent = rows[i].percent, .pages = 12345 };

        CHECK(mn_limit_pages(&limit, rows[i].total) == rows[i].expected, "%u%% of %" G_GUINT64_FORMAT, rows[i].percent,
              rows[i].total);
    }
}

/* "at or above P %" has to begin at the first page count that is P % or more, for all of them. */
static void test_percent_is_exact_for_all_small_totals(void) {
    for (guint percent = 1; percent <= 100; percent++)
        for (guint64 total = 1; total <= 1000; total++) {
            MnLimit limit = { .percent = percent };
            guint64 pages = mn_limit_pages(&limit, total);

            if (pages * 100 < percent * total || (pages - 1) * 100 >= percent * total)
                CHECK(FALSE, "%u%% of %" G_GUINT64_FORMAT " is not %" G_GUINT64_FORMAT, percent, total, pages);
        }
    CU_PASS("no row was wrong");
}

static void test_pages_do_not_depend_on_total(void) {
    MnLimit limit = { .pages = 5000 };

    CU_ASSERT_EQUAL(mn_limit_pages(&limit, 0), 5000);
    CU_ASSERT_EQUAL(mn_limit_pages(&limit, G_MAXUINT64), 5000);
}

static void test_larger_pages(void) {
    static const MnMachine big = { .page_bytes = 65536, .offered = MN_METER_BIT(MN_METER_USED) };
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse("used 65K", 8, &big, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 2);
    CU_ASSERT_EQUAL(mn_limit_set_parse("used 65", 7, &big, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 65);
}

static void test_what_is_printed_is_parsed_again(void) {
    static const char *const texts[] = { "used 80% free<512M anon>=7", "swap_free<1", "dirty 1T" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        MnLimitSet set, again;
        g_autofree char *printed = NULL;

        CHECK(mn_limit_set_parse(texts[i], strlen(texts[i]), &machine, &set) == 0, "%s", texts[i]);
        printed = limit_set_print(&set);
        CHECK(mn_limit_set_parse(printed, strlen(printed), &machine, &again) == 0, "%s", printed);
        CHECK(set.n == again.n && set.named == again.named, "%s", printed);
        for (guint j = 0; j < set.n; j++)
            CHECK(limit_equal(&set.limits[j], &again.limits[j]), "%s", printed);
    }
}

static CU_TestInfo limit_tests[] = {
    { "names, numbers and what joins them", test_forms },
    { "the text of a read is a valid write", test_the_text_of_a_read_is_a_valid_write },
    { "operators", test_operators },
    { "units", test_units },
    { "bytes are rounded up to pages", test_bytes_are_rounded_up_to_pages },
    { "the largest of each unit fits and the next overflows",
      test_the_largest_of_each_unit_fits_and_the_next_overflows },
    { "bad text is refused and changes nothing", test_bad_text_is_refused_and_changes_nothing },
    { "a meter that is not offered is unknown", test_a_meter_that_is_not_offered_is_unknown },
    { "one final NUL is ignored, any other is refused", test_one_final_nul_is_ignored },
    { "4095 bytes are taken, 4096 refused", test_length },
    { "a number may be as long as the text", test_a_number_may_be_as_long_as_the_text },
    { "all meters at once", test_all_meters_at_once },
    { "zero is named but not tracked", test_zero_is_named_but_not_tracked },
    { "one limit without a name", test_one_limit_without_a_name },
    { "one limit of 5000 bytes", test_one_limit_of_5000_bytes },
    { "per cent are rounded up", test_percent_is_rounded_up },
    { "per cent are exact for all small totals", test_percent_is_exact_for_all_small_totals },
    { "pages do not depend on total", test_pages_do_not_depend_on_total },
    { "larger pages", test_larger_pages },
    { "what is printed is parsed again", test_what_is_printed_is_parsed_again },
    CU_TEST_INFO_NULL,
};

static void test_overrides(void) {
    static const Row rows[] = {
        { "used 90%", 0, "used 90%" },
        { "used 0", 0, "used 0" },
        { "used 0%", 0, "used 0" },
        { "used -", 0, "used -" },
        { "used -\n", 0, "used -" },
        { "used=-,free=5", 0, "used -,free 5" },
        { "swap_free 4K used 1 active -", 0, "used 1,active -,swap_free 1" },
        { BYTES("used 5\0"), "used 5" },
        { "", 0, "" },
        { "used 5 used -", 0, NULL },
        { "used - used -", 0, NULL },
        { "used", 0, NULL },
        { "used -5", 0, NULL },
        { "used --", 0, NULL },
        { "used -%", 0, NULL },
        { "used-,free- file3", 0, NULL },
        { "used-,free-", 0, "used -,free -" },
        { "used 948%", 0, NULL },
        { "used 0%\x1f", 0, NULL },
        { "used 3t free 4f", 0, NULL },
        { ",", 0, "" },
        { "used -used 5", 0, NULL },
        { "used >= 5", 0, NULL },
        { "used < 5", 0, NULL },
        { "used 101%", 0, NULL },
        { "used 10X", 0, NULL },
        { "used 18446744073709551616", 0, NULL },
        { "mlocked 5", 0, NULL },
        { "nonsense -", 0, NULL },
        { "reset used 5", 0, NULL },
        { "used 5 reset", 0, NULL },
        { "resetused 5", 0, NULL },
        { "reset reset", 0, NULL },
        { "reset5", 0, NULL },
        { BYTES("used\0 5"), NULL },
        { "used 5\xc3", 0, NULL },
        { "-", 0, NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnOverride override, before;
        gsize len;
        g_autofree char *text = exact_copy(&rows[i], &len);
        g_autofree char *printed = NULL;
        int r;

        memset(&before, 0x5a, sizeof before);
        override = before;
        r = mn_override_parse(text, len, &machine, &override);
        CHECK(r == (rows[i].expected ? 0 : -EINVAL), "%s", rows[i].text);
        if (r < 0) {
            /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) not a byte of it is to be written */
            CHECK(memcmp(&override, &before, sizeof before) == 0, "%s", rows[i].text);
            continue;
        }
        printed = override_print(&override);
        CHECK(g_strcmp0(printed, rows[i].expected) == 0, "%s gave %s", rows[i].text, printed);
    }
}

static void test_reset_measures_every_meter(void) {
    static const char *const texts[] = { "reset", "reset\n", " reset " };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        MnOverride override;

        CHECK(mn_override_parse(texts[i], strlen(texts[i]), &machine, &override) == 0, "%s", texts[i]);
        CHECK(override.measured == machine.offered && override.fixed == 0, "%s", texts[i]);
    }
}

static void test_override_of_5000_bytes(void) {
    g_autofree char *text = g_strnfill(5000, ' ');
    MnOverride override;

    CU_ASSERT_EQUAL(mn_override_parse(text, 4095, &machine, &override), 0);
    CU_ASSERT_EQUAL(mn_override_parse(text, 4096, &machine, &override), -EINVAL);
    CU_ASSERT_EQUAL(mn_override_parse(text, 5000, &machine, &override), -EINVAL);
}

static CU_TestInfo override_tests[] = {
    { "values, dashes and what is refused", test_overrides },
    { "reset measures every meter again", test_reset_measures_every_meter },
    { "4095 bytes are taken, 4096 refused", test_override_of_5000_bytes },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = {
        { "limit", NULL, NULL, NULL, NULL, limit_tests },
        { "override", NULL, NULL, NULL, NULL, override_tests },
        CU_SUITE_INFO_NULL,
    };

    return run_suites(suites);
}
