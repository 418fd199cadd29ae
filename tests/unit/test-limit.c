/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits and overrides as users write them. */
#include "core/amount.h"
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
        r = mn_limit_set_parse(text, len, &machine, NULL, &set);
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
        { "free <= 5", 0, "free<6" },
        { "free<=512M", 0, "free<131073" },
        { "used > 5", 0, "used>=6" },
        { "used>5%", 0, "used>5%" },
        { "used >5K", 0, "used>=3" },
        { "free <=\n10%", 0, "free<=10%" },
        { "used > 0", 0, "used>=1" },
        { "swap_free <= 0", 0, "swap_free<1" },
        { "swap_free <= 0%", 0, "swap_free<1" },
        { "used=<5", 0, "used<5" },
        { "used=<=5", 0, "used<6" },
        { "used > 18446744073709551614", 0, "used>=18446744073709551615" },
        { "used > 18446744073709551615", 0, NULL },
        { "used => 5", 0, NULL },
        { "used=>5", 0, NULL },
        { "used >\v5", 0, NULL },
        { "used > = 5", 0, NULL },
        { "used ><= 5", 0, NULL },
        { "used <> 5", 0, NULL },
        { "used <<= 5", 0, NULL },
        { "used >", 0, NULL },
        { "used <=", 0, NULL },
        { "free <\v5", 0, NULL },
        { "used >= = 5", 0, NULL },
        { "used >=, 5", 0, NULL },
        { "free <: 5", 0, NULL },
        { "free <free 5", 0, NULL },
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
        { "used 10kB", 0, "used>=3" },
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
        { "used 4KiB", 0, "used>=1" },
        { "used 1MiB", 0, "used>=256" },
        { "used 1GiB", 0, "used>=262144" },
        { "used 1TiB", 0, "used>=268435456" },
        { "used 4096kB", 0, "used>=1000" },
        { "used 4096MB", 0, "used>=1000000" },
        { "used 4096GB", 0, "used>=1000000000" },
        { "used 4096TB", 0, "used>=1000000000000" },
        { "used 500MB", 0, "used>=122071" },
        { "used 1MB,free<1MiB", 0, "used>=245,free<256" },
        { "used 1.5G", 0, "used>=393216" },
        { "used 1.5g", 0, "used>=393216" },
        { "used 0.5MiB", 0, "used>=128" },
        { "used 0.000001K", 0, "used>=1" },
        { "used 0.0K", 0, "" },
        { "used 1.000001TB", 0, "used>=244140870" },
        { "used 7.5%", 0, "used>=7.5%" },
        { "used 7.50%", 0, "used>=7.5%" },
        { "used 0.000001%", 0, "used>=0.000001%" },
        { "used 99.999999%", 0, "used>=99.999999%" },
        { "used 100.000000%", 0, "used>=100%" },
        { "used 100.000001%", 0, NULL },
        { "used 0.0000001%", 0, NULL },
        { "used 1.0000000G", 0, NULL },
        { "used 1.5", 0, NULL },
        { "used 1.0", 0, NULL },
        { "used 1.G", 0, NULL },
        { "used .5G", 0, NULL },
        { "used 1.5.5G", 0, NULL },
        { "used 1,5G", 0, NULL },
        { "used 1.-5G", 0, NULL },
        { "used 10KIB", 0, NULL },
        { "used 10mb", 0, NULL },
        { "used 10Mb", 0, NULL },
        { "used 10B", 0, NULL },
        { "used 10KiBs", 0, NULL },
        { "used 10MiB%", 0, NULL },
        { "used 10KiBactive 6", 0, NULL },
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
        { "used 16777215.999999T", 0, "used>=4503599627370228" },
        { "used 18446744TB", 0, "used>=4503599609375000" },
        { "used 18446744.073709TB", 0, "used>=4503599627370362" },
        { "used 18446744.073710TB", 0, NULL },
        { "used 18446745TB", 0, NULL },
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
        CHECK(mn_limit_set_parse(text, rows[i].len, &machine, NULL, &set) == rows[i].expected, "%zu bytes",
              rows[i].len);
        CHECK(set.n == (rows[i].expected == 0), "%zu bytes", rows[i].len);
    }
}

static void test_a_number_may_be_as_long_as_the_text(void) {
    g_autofree char *text = g_strdup_printf("used %04090d", 7);
    MnLimitSet set;

    CU_ASSERT_EQUAL(strlen(text), MEMNOTIFYFS_LIMITS_MAX);
    CU_ASSERT_EQUAL(mn_limit_set_parse(text, strlen(text), &machine, NULL, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 7);
}

static void test_all_meters_at_once(void) {
    static const MnMachine everything = { .page_bytes = 4096, .offered = (1U << MN_N_METERS) - 1 };
    g_autoptr(GString) text = g_string_new(NULL);
    MnLimitSet set;

    for (guint id = 0; id < MN_N_METERS; id++)
        g_string_append_printf(text, "%s < %u\n", mn_meters[id].name, id + 1);

    CU_ASSERT_EQUAL(mn_limit_set_parse(text->str, text->len, &everything, NULL, &set), 0);
    CU_ASSERT_EQUAL(set.n, MN_N_METERS);
    CU_ASSERT_EQUAL(set.named, everything.offered);
    for (guint id = 0; id < MN_N_METERS; id++)
        CHECK(set.limits[id].meter == id && set.limits[id].op == MN_OP_BELOW && set.limits[id].pages == id + 1, "%s",
              mn_meters[id].name);
}

static void test_zero_is_named_but_not_tracked(void) {
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse("used 0 active 7", 15, &machine, NULL, &set), 0);
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
        { "<= 5", 0, "anon<6" },
        { "<", 0, NULL },
        { "> 5", 0, "anon>=6" },
        { "=> 5", 0, NULL },
        { "=>5", 0, NULL },
        { "7.5% # of total", 0, "anon>=7.5%" },
        { "# nothing", 0, "" },
        { "5 # five\n6", 0, NULL },
        { "value=1 op=>= limit=5 reached=0 crossings=0", 0, NULL },
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
        r = mn_limit_set_parse_one(text, len, &machine, MN_METER_ANON, NULL, &set);
        check_set(&rows[i], r, &set, &before);
    }
}

static void test_one_limit_of_5000_bytes(void) {
    g_autofree char *text = g_strnfill(5000, '1');
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse_one(text, 5000, &machine, MN_METER_USED, NULL, &set), -EINVAL);
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
        MnLimit limit = { .micropercent = rows[i].percent * MN_MICROPERCENT };

        CHECK(mn_limit_pages(&limit, rows[i].total) == rows[i].expected, "%u%% of %" G_GUINT64_FORMAT, rows[i].percent,
              rows[i].total);
    }
}

/* "at or above P %" has to begin at the first page count that is P % or more, for all of them. */
static void test_percent_is_exact_for_all_small_totals(void) {
    for (guint percent = 1; percent <= 100; percent++)
        for (guint64 total = 1; total <= 1000; total++) {
            MnLimit limit = { .micropercent = percent * MN_MICROPERCENT };
            guint64 pages = mn_limit_pages(&limit, total);

            if (pages * 100 < percent * total || (pages - 1) * 100 >= percent * total)
                CHECK(FALSE, "%u%% of %" G_GUINT64_FORMAT " is not %" G_GUINT64_FORMAT, percent, total, pages);
        }
    CU_PASS("no row was wrong");
}

static void test_shares_of_a_per_cent(void) {
    static const struct {
        guint32 micropercent;
        guint64 total, expected;
    } rows[] = {
        { 7500000, 1000, 75 },
        { 7500000, 1001, 76 },
        { 1, 1, 1 },
        { 1, 100000000, 1 },
        { 1, 100000001, 2 },
        { 99999999, 100000000, 99999999 },
        { 99999999, 100000001, 100000000 },
        { 1, G_MAXUINT64, G_GUINT64_CONSTANT(184467440738) },
        { 99999999, G_MAXUINT64, G_GUINT64_CONSTANT(18446743889242110878) },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnLimit limit = { .micropercent = rows[i].micropercent };

        CHECK(mn_limit_pages(&limit, rows[i].total) == rows[i].expected, "row %u gave %" G_GUINT64_FORMAT, i,
              mn_limit_pages(&limit, rows[i].total));
    }
}

/* ">" N is ">=" one page more, "<=" N is "<" one page more, whether N is pages or a share. */
static void test_above_a_share_begins_one_page_further(void) {
    static const char *const texts[] = { "used > 80%", "used <= 80%" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        MnLimitSet set = { 0 };

        CHECK(mn_limit_set_parse(texts[i], strlen(texts[i]), &machine, NULL, &set) == 0, "%s", texts[i]);
        CU_ASSERT_EQUAL(set.limits[0].op, i == 0 ? MN_OP_AT_LEAST : MN_OP_BELOW);
        CU_ASSERT_EQUAL(mn_limit_pages(&set.limits[0], 100), 81);
        CU_ASSERT_EQUAL(mn_limit_pages(&set.limits[0], 101), 82);
        set.limits[0].micropercent = 100 * MN_MICROPERCENT;
        CU_ASSERT_EQUAL(mn_limit_pages(&set.limits[0], G_MAXUINT64), G_MAXUINT64);
    }
}

static void test_comments(void) {
    static const Row rows[] = {
        { "# nothing", 0, "" },
        { "#", 0, "" },
        { "used 5 # five", 0, "used>=5" },
        { "used 5# five", 0, "used>=5" },
        { "used 5 # five\nactive 6", 0, "used>=5,active>=6" },
        { "# first\n\n  # second\nused 5 #\n# third\nactive 6\n#", 0, "used>=5,active>=6" },
        { "used # the meter\n5", 0, "used>=5" },
        { "used 5 # active 6 used 7", 0, "used>=5" },
        { "used 80%#", 0, "used>=80%" },
        { "used 5 # caf\xc3\xa9 \xff\x1b", 0, "used>=5" },
        { BYTES("used 5 # five\0"), "used>=5" },
        { BYTES("used 5 # fi\0ve"), NULL },
        { "used >= # five\n5", 0, NULL },
        { "us#\ned 5", 0, NULL },
        { "used 5 # five\n6", 0, NULL },
        { "# five\n5", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

static void test_what_a_threshold_shows_is_a_valid_write(void) {
    static const Row rows[] = {
        { "used value=109718 op=>= limit=4936820 reached=0 crossings=0\n"
          "free value=5938924 op=< limit=65536 reached=1 crossings=3\n",
          0, "used>=4936820,free<65536" },
        { "used value=1 op=>= limit=5 reached=0 crossings=0 active 6", 0, "used>=5,active>=6" },
        { "active 6\nused value=1 op=>= limit=5 reached=0 crossings=0 # the old one", 0, "active>=6,used>=5" },
        { "used value=1 op=>= limit=5 reached=0 crossings=0 used 5", 0, NULL },
        { "used value=1 op=>= limit=5 reached=0", 0, NULL },
        { "used value=1 op=>= limit=5", 0, NULL },
        { "used value=1 limit=5 op=>= reached=0 crossings=0", 0, NULL },
        { "used value=1 op=!= limit=5 reached=0 crossings=0", 0, NULL },
        { "used value=1 op=>= limit= reached=0 crossings=0", 0, NULL },
        { "used value= op=>= limit=5 reached=0 crossings=0", 0, NULL },
        { "used value=1 op=>= limit=5 reached=no crossings=0", 0, NULL },
        { "used value=1 op=>= limit=5 reached=0 crossings=-1", 0, NULL },
        { "used value=1 op=>= limit=5 reached=0 crossings=0x", 0, NULL },
        { "value=1 op=>= limit=5 reached=0 crossings=0", 0, NULL },
        { "used value 5", 0, NULL },
        { "used value=5", 0, NULL },
    };

    check_sets(rows, G_N_ELEMENTS(rows));
}

/* The place is that of the "^" below the text. */
static void test_what_is_wrong_is_said(void) {
    static const struct {
        const char *text, *caret, *reason;
    } rows[] = {
        { "80%", "^", "the name of a meter is missing before it, as in 'used 80%'" },
        { "> 80%", "^", "the name of a meter is missing before it, as in 'used 80%'" },
        { "used 5 80%", "       ^", "the name of a meter is missing before it, as in 'used 80%'" },
        { "usd 80%", "^", "there is no meter of that name" },
        { "used 5 foo 6", "       ^", "there is no meter of that name; a unit follows its number directly" },
        { "used 5 K", "       ^", "there is no meter of that name; a unit follows its number directly" },
        { "used 5% foo 6", "        ^", "there is no meter of that name" },
        { "Used 5", "^", "there is no meter of that name" },
        { "mlocked 5", "^", "there is no meter of that name" },
        { "used 50 %", "        ^", "the name of a meter is needed here; a unit follows its number directly" },
        { "used 5 used 6", "       ^", "this meter has been named before" },
        { "used5", "    ^", "a blank is missing between the meter and its number" },
        { "used", "    ^", "a number is missing at the end" },
        { "used >=", "       ^", "a number is missing at the end" },
        { "used -5", "     ^", "a number cannot be negative" },
        { "used x", "     ^", "a number is needed here" },
        { "used 5;", "      ^",
          "there is no such unit; K M G T, KiB MiB GiB TiB are by 1024, kB MB GB TB by 1000, % of total" },
        { "used 10KB", "       ^",
          "there is no such unit; K M G T, KiB MiB GiB TiB are by 1024, kB MB GB TB by 1000, % of total" },
        { "used 7.5", "     ^", "pages have no decimals; a unit is missing" },
        { "used 7.5555555%", "             ^", "there may be six decimals at most" },
        { "used 7.%", "       ^", "a decimal is needed behind the point" },
        { "used 101%", "     ^", "more than 100 % of total cannot be" },
        { "used 5%K", "       ^", "a blank is missing here" },
        { "used 16777216T", "     ^", "the number is too large" },
        { "used 99999999999999999999", "     ^", "the number is too large" },
        { "used > 18446744073709551615", "       ^", "the number is too large" },
        { "used => 5", "     ^", "'=>' is no operator; '>=' and '>' are" },
        { "used value=5", "            ^", "what a threshold shows is: value= op= limit= reached= crossings=" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnFault fault = { 0 };
        MnLimitSet set;
        int r;

        r = mn_limit_set_parse(rows[i].text, strlen(rows[i].text), &machine, &fault, &set);
        CHECK(r == -EINVAL, "%s", rows[i].text);
        CHECK(strcmp(fault.reason, rows[i].reason) == 0, "%s: %s", rows[i].text, fault.reason);
        CHECK(fault.at == strlen(rows[i].caret) - 1, "%s: %zu", rows[i].text, fault.at);
    }
}

static void test_pages_do_not_depend_on_total(void) {
    MnLimit limit = { .pages = 5000 };

    CU_ASSERT_EQUAL(mn_limit_pages(&limit, 0), 5000);
    CU_ASSERT_EQUAL(mn_limit_pages(&limit, G_MAXUINT64), 5000);
}

static void test_larger_pages(void) {
    static const MnMachine big = { .page_bytes = 65536, .offered = MN_METER_BIT(MN_METER_USED) };
    MnLimitSet set;

    CU_ASSERT_EQUAL(mn_limit_set_parse("used 65K", 8, &big, NULL, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 2);
    CU_ASSERT_EQUAL(mn_limit_set_parse("used 65", 7, &big, NULL, &set), 0);
    CU_ASSERT_EQUAL(set.limits[0].pages, 65);
}

static void test_what_is_printed_is_parsed_again(void) {
    static const char *const texts[] = { "used 80% free<512M anon>=7", "swap_free<1", "dirty 1T",
                                         "used 7.5% free<=10% anon>99.999999%" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        MnLimitSet set, again;
        g_autofree char *printed = NULL;

        CHECK(mn_limit_set_parse(texts[i], strlen(texts[i]), &machine, NULL, &set) == 0, "%s", texts[i]);
        printed = limit_set_print(&set);
        CHECK(mn_limit_set_parse(printed, strlen(printed), &machine, NULL, &again) == 0, "%s", printed);
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
    { "per cent have decimals", test_shares_of_a_per_cent },
    { "above a share begins one page further", test_above_a_share_begins_one_page_further },
    { "comments", test_comments },
    { "what a threshold shows is a valid write", test_what_a_threshold_shows_is_a_valid_write },
    { "what is wrong is said", test_what_is_wrong_is_said },
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
        { "stall_some 20%", 0, "stall_some 20%" },
        { "stall_full=100%,used 5", 0, "used 5,stall_full 100%" },
        { "stall_some 20% stall_full -", 0, "stall_some 20%,stall_full -" },
        { "stall_some-,used-", 0, "used -,stall_some -" },
        { "stall_some 0%", 0, "stall_some 0%" },
        { "stall_some 0", 0, "stall_some 0%" },
        { "stall_some 101%", 0, NULL },
        { "stall_some 20", 0, NULL },
        { "stall_some 20K", 0, NULL },
        { "stall_some20%", 0, NULL },
        { "stall_some", 0, NULL },
        { "stall_some --", 0, NULL },
        { "stall_some 5% stall_some 5%", 0, NULL },
        { "stall_some - stall_some 5%", 0, NULL },
        { "stall_none 5%", 0, NULL },
        { "stall_", 0, NULL },
        { "reset stall_some 5%", 0, NULL },
        { "memory 90%", 0, "memory 90%" },
        { "memory=-", 0, "used -,free -,available -" },
        { "memory 5 active 5", 0, "active 5,memory 5" },
        { "memory 5 used 5", 0, NULL },
        { "used - memory 5", 0, NULL },
        { "memory", 0, NULL },
        { "low swapping", 0, "swapping,low" },
        { "min - low", 0, "low,min -" },
        { "low-,min", 0, "low -,min" },
        { "low - low", 0, NULL },
        { "low5", 0, NULL },
        { "lows", 0, NULL },
        { "oom", 0, "oom" },
        { "oom oom", 0, NULL },
        { "pressure medium oom", 0, "oom,pressure medium" },
        { "pressure:critical", 0, "pressure critical" },
        { "pressure", 0, NULL },
        { "pressure mediums", 0, NULL },
        { "pressure low pressure low", 0, NULL },
        { "reset oom", 0, NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnOverride override, before;
        gsize len;
        g_autofree char *text = exact_copy(&rows[i], &len);
        g_autofree char *printed = NULL;
        int r;

        memset(&before, 0x5a, sizeof before);
        override = before;
        r = mn_override_parse(text, len, &machine, NULL, &override);
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

        CHECK(mn_override_parse(texts[i], strlen(texts[i]), &machine, NULL, &override) == 0, "%s", texts[i]);
        CHECK(override.measured == machine.offered && override.fixed == 0, "%s", texts[i]);
        CHECK(override.stalls.measured == MN_ALL_STALLS && override.stalls.chosen == 0, "%s", texts[i]);
        CHECK(override.ended == MN_ALL_CONDITIONS && override.begun == 0, "%s", texts[i]);
    }
}

static void test_override_of_5000_bytes(void) {
    g_autofree char *text = g_strnfill(5000, ' ');
    MnOverride override;

    CU_ASSERT_EQUAL(mn_override_parse(text, 4095, &machine, NULL, &override), 0);
    CU_ASSERT_EQUAL(mn_override_parse(text, 4096, &machine, NULL, &override), -EINVAL);
    CU_ASSERT_EQUAL(mn_override_parse(text, 5000, &machine, NULL, &override), -EINVAL);
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
