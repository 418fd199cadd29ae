/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of a memory control group -> counters -> meters. */
#include "core/cgroup.h"
#include "core/meter.h"
#include "core/number.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define MIB G_GUINT64_CONSTANT(1048576)
#define PAGE 4096
#define BAD (-EBADMSG)

/* In a block of exactly its size, so that a sanitizer sees who reads beyond it. */
static char *exact(const char *text, gsize *ret_len) {
    *ret_len = strlen(text);
    return memcpy(g_malloc(MAX(*ret_len, 1)), text, *ret_len);
}

static void test_numbers(void) {
    static const struct {
        const char *text;
        int expected;
        guint64 number;
    } rows[] = {
        { "0\n", 0, 0 },
        { "1048576\n", 0, 1048576 },
        { "9223372036854771712\n", 0, 9223372036854771712U }, /* v1 without a limit */
        { "18446744073709551615\n", 0, G_MAXUINT64 },
        { "max\n", 0, MN_CGROUP_UNLIMITED },
        { "", BAD, 0 },
        { "\n", BAD, 0 },
        { "1048576", BAD, 0 }, /* cut */
        { "max", BAD, 0 },
        { "maxi\n", BAD, 0 },
        { "-1\n", BAD, 0 },
        { " 1\n", BAD, 0 },
        { "1 2\n", BAD, 0 },
        { "1\n2\n", BAD, 0 },
        { "18446744073709551616\n", BAD, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 number = 4711;
        gsize len;
        g_autofree char *text = exact(rows[i].text, &len);

        CHECK(mn_cgroup_parse_number(text, len, &number) == rows[i].expected, "'%s'", rows[i].text);
        CHECK(number == (rows[i].expected < 0 ? 4711 : rows[i].number), "'%s'", rows[i].text);
    }
}

/* As Linux 6.12 says it, shortened. */
#define STAT_V2                                                                                                        \
    "anon 10000\nfile 20000\nkernel 77\nkernel_stack 1\nshmem 3000\nfile_mapped 5\nfile_dirty 400\n"                   \
    "file_writeback 0\nswapcached 500\nanon_thp 0\ninactive_anon 6\nactive_anon 6000\ninactive_file 7000\n"            \
    "active_file 8000\nunevictable 99\nslab_reclaimable 900\nslab_unreclaimable 9\nslab 909\npgscan 1\n"

/* As Linux 6.1 says it, shortened. */
#define STAT_V1                                                                                                        \
    "cache 1\nrss 2\nshmem 3\nactive_anon 4\ninactive_file 5\nactive_file 6\nunevictable 7\n"                          \
    "hierarchical_memory_limit 8\ntotal_cache 20000\ntotal_rss 10000\ntotal_rss_huge 0\n"                              \
    "total_shmem 3000\ntotal_mapped_file 5\ntotal_dirty 400\ntotal_swapcached 500\n"                                   \
    "total_inactive_anon 6\ntotal_active_anon 6000\ntotal_inactive_file 7000\ntotal_active_file 8000\n"

static gboolean is_expected(const MnCgroupStat *stat, guint64 slab_reclaimable) {
    return stat->anon == 10000 && stat->file == 20000 && stat->shmem == 3000 && stat->dirty == 400 &&
           stat->swap_cached == 500 && stat->active_anon == 6000 && stat->inactive_file == 7000 &&
           stat->active_file == 8000 && stat->slab_reclaimable == slab_reclaimable;
}

static void test_stat(void) {
    static const struct {
        MnCgroupVersion version;
        const char *text;
        guint64 slab_reclaimable;
    } rows[] = {
        { MN_CGROUP_V2, STAT_V2, 900 },
        { MN_CGROUP_V2, STAT_V2 "later_key 1\nlater words 2 3\n\n", 900 },
        { MN_CGROUP_V1, STAT_V1, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCgroupStat stat = { 0 };
        gsize len;
        g_autofree char *text = exact(rows[i].text, &len);

        CHECK(mn_cgroup_parse_stat(rows[i].version, text, len, &stat) == 0, "row %u", i);
        CHECK(is_expected(&stat, rows[i].slab_reclaimable), "row %u", i);
    }
}

static void test_damaged_stat(void) {
    static const struct {
        MnCgroupVersion version;
        const char *text;
    } rows[] = {
        { MN_CGROUP_V2, "" },
        { MN_CGROUP_V2, "\n" },
        { MN_CGROUP_V2, STAT_V2 "cut" },
        { MN_CGROUP_V2, STAT_V2 "anon 1\n" },                                             /* twice */
        { MN_CGROUP_V2, "anon 1\nfile 2\nfile_dirty 0\nactive_anon 0\nactive_file 0\n" }, /* no inactive_file */
        { MN_CGROUP_V2, "anon \nfile 2\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n" },
        { MN_CGROUP_V2, "anon -1\nfile 2\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n" },
        { MN_CGROUP_V2, "anon 1 kB\nfile 2\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n" },
        { MN_CGROUP_V2,
          "anon 18446744073709551616\nfile 2\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n" },
        { MN_CGROUP_V2, STAT_V1 },
        { MN_CGROUP_V1, STAT_V2 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCgroupStat stat = { .anon = 4711 };
        gsize len;
        g_autofree char *text = exact(rows[i].text, &len);

        CHECK(mn_cgroup_parse_stat(rows[i].version, text, len, &stat) == BAD, "row %u", i);
        CHECK(stat.anon == 4711, "row %u", i);
    }
}

static void test_a_long_stat_without_the_optional_keys_is_accepted(void) {
    static const char text[] = "anon 1\nfile 2\nfile_dirty 3\nactive_anon 4\ninactive_file 5\nactive_file 6\n";
    MnCgroupStat stat = { .shmem = 4711 };

    CU_ASSERT_EQUAL(mn_cgroup_parse_stat(MN_CGROUP_V2, text, strlen(text), &stat), 0);
    CU_ASSERT_EQUAL(stat.shmem, 0);
}

/* --- meaning ---------------------------------------------------------------------------------- */

static MnReading reading_of(const MnCgroupState *state) {
    MnSample sample = { 0 };
    MnReading reading;

    mn_cgroup_to_sample(state, PAGE, &sample);
    mn_reading_from_sample(&sample, &reading);
    return reading;
}

#define MIB_OF(reading, meter) ((reading).pages[MN_METER_##meter] * PAGE / MIB)

static void test_used_is_what_cannot_be_reclaimed(void) {
    static const struct {
        const char *what;
        guint64 usage, anon, file, shmem, swap_cached, active_file, inactive_file, slab;
        guint64 used, available; /* all in MiB, of 1000 */
    } rows[] = {
        { "nothing", 0, 0, 0, 0, 0, 0, 0, 0, 0, 1000 },
        { "a program", 300, 300, 0, 0, 0, 0, 0, 0, 300, 700 },
        { "page cache to the brim", 1000, 50, 950, 0, 0, 100, 850, 0, 50, 950 },
        { "shared memory", 400, 0, 400, 400, 0, 0, 0, 0, 400, 600 },
        { "locked page cache", 400, 0, 400, 0, 0, 100, 100, 0, 200, 800 },
        { "a program that has locked itself", 400, 400, 0, 0, 0, 0, 0, 0, 400, 600 },
        { "reclaimable slab", 400, 100, 0, 0, 0, 0, 0, 250, 150, 850 },
        { "swap cache", 400, 300, 100, 0, 100, 0, 0, 0, 300, 600 },
        { "more cache than usage, read later", 100, 0, 300, 0, 0, 300, 0, 0, 0, 1000 },
        { "over the limit", 1100, 1100, 0, 0, 0, 0, 0, 0, 1000, 0 },
        { "over it by page cache", 1200, 900, 300, 0, 0, 100, 200, 0, 900, 100 },
        { "over it by more than page cache", 1500, 1200, 300, 0, 0, 100, 200, 0, 1000, 0 },
        { "over it by slab", 1100, 700, 0, 0, 0, 0, 0, 400, 700, 300 },
        { "over it by shared memory", 1100, 700, 400, 400, 0, 0, 0, 0, 1000, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCgroupStat stat = { .anon = rows[i].anon * MIB,
                              .file = rows[i].file * MIB,
                              .shmem = rows[i].shmem * MIB,
                              .swap_cached = rows[i].swap_cached * MIB,
                              .active_file = rows[i].active_file * MIB,
                              .inactive_file = rows[i].inactive_file * MIB,
                              .slab_reclaimable = rows[i].slab * MIB };
        MnCgroupState state = { .version = MN_CGROUP_V2,
                                .limit = 1000 * MIB,
                                .usage = rows[i].usage * MIB,
                                .machine_bytes = 4000 * MIB,
                                .stat = &stat };
        MnReading reading = reading_of(&state);

        CHECK(MIB_OF(reading, TOTAL) == 1000, "%s", rows[i].what);
        CHECK(MIB_OF(reading, USED) == rows[i].used, "%s: %" G_GUINT64_FORMAT, rows[i].what, MIB_OF(reading, USED));
        CHECK(MIB_OF(reading, AVAILABLE) == rows[i].available, "%s: %" G_GUINT64_FORMAT, rows[i].what,
              MIB_OF(reading, AVAILABLE));
        CHECK(MIB_OF(reading, FILE) == rows[i].file, "%s", rows[i].what);
        CHECK(MIB_OF(reading, ANON) == rows[i].anon, "%s", rows[i].what);
    }
}

static void test_limits(void) {
    static const struct {
        MnCgroupVersion version;
        guint64 limit, swap_limit, machine, machine_swap; /* MiB; 0: unlimited */
        guint64 total, swap_total;
    } rows[] = {
        { MN_CGROUP_V2, 100, 0, 1000, 0, 100, 0 },         { MN_CGROUP_V2, 100, 0, 1000, 500, 600, 500 },
        { MN_CGROUP_V2, 100, 50, 1000, 500, 150, 50 },     { MN_CGROUP_V2, 0, 0, 1000, 500, 1500, 500 },
        { MN_CGROUP_V2, 2000, 700, 1000, 500, 1500, 500 }, { MN_CGROUP_V1, 100, 150, 1000, 500, 150, 50 },
        { MN_CGROUP_V1, 100, 100, 1000, 500, 100, 0 },     { MN_CGROUP_V1, 100, 0, 1000, 500, 600, 500 },
        { MN_CGROUP_V1, 0, 0, 1000, 500, 1500, 500 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCgroupState state = {
            .version = rows[i].version,
            .limit = rows[i].limit ? rows[i].limit * MIB : MN_CGROUP_UNLIMITED,
            .swap_limit = rows[i].swap_limit ? rows[i].swap_limit * MIB : MN_CGROUP_UNLIMITED,
            .counts_swap = TRUE,
            .machine_bytes = rows[i].machine * MIB,
            .machine_swap_bytes = rows[i].machine_swap * MIB,
        };
        MnReading reading = reading_of(&state);

        CHECK(MIB_OF(reading, TOTAL) == rows[i].total, "row %u", i);
        CHECK(MIB_OF(reading, SWAP_TOTAL) == rows[i].swap_total, "row %u", i);
        CHECK(MIB_OF(reading, SWAP_USED) == 0, "row %u", i);
        CHECK(MIB_OF(reading, FREE) == rows[i].total - rows[i].swap_total, "row %u", i);
    }
}

static void test_swap_that_is_used(void) {
    MnCgroupStat stat = { .anon = 80 * MIB };
    MnCgroupState state = { .version = MN_CGROUP_V2,
                            .limit = 100 * MIB,
                            .usage = 80 * MIB,
                            .counts_swap = TRUE,
                            .swap_limit = 50 * MIB,
                            .swap_usage = 30 * MIB,
                            .machine_bytes = 1000 * MIB,
                            .machine_swap_bytes = 1000 * MIB,
                            .stat = &stat };
    MnReading reading = reading_of(&state);

    CU_ASSERT_EQUAL(MIB_OF(reading, SWAP_USED), 30);
    CU_ASSERT_EQUAL(MIB_OF(reading, USED), 110);

    state.version = MN_CGROUP_V1; /* the same, counted together */
    state.swap_limit = 150 * MIB;
    state.swap_usage = 110 * MIB;
    reading = reading_of(&state);
    CU_ASSERT_EQUAL(MIB_OF(reading, SWAP_USED), 30);
    CU_ASSERT_EQUAL(MIB_OF(reading, USED), 110);
}

/* What a kernel tells as some bytes less than 0, and what is more than the machine has. */
static void test_no_more_is_used_than_there_is(void) {
    static const struct {
        MnCgroupVersion version;
        guint64 bytes, anon, available, swap_used; /* in MiB; the limit is 1000 of both, the machine has 4000 */
    } rows[] = {
        { MN_CGROUP_V2, -4096 * G_GINT64_CONSTANT(1), 0, 1000, 0 },
        { MN_CGROUP_V2, 900 * MIB, 900, 1000, 900 },
        { MN_CGROUP_V2, 9000 * MIB, 4000, 1000, 1000 },
        { MN_CGROUP_V1, -4096 * G_GINT64_CONSTANT(1), 0, 1000, 0 },
        { MN_CGROUP_V1, 9000 * MIB, 4000, 1000, 1000 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCgroupStat stat = { .anon = rows[i].bytes, .file = rows[i].bytes, .inactive_file = rows[i].bytes };
        MnCgroupState state = { .version = rows[i].version,
                                .limit = 1000 * MIB,
                                .usage = 0,
                                .counts_swap = TRUE,
                                .swap_limit = rows[i].version == MN_CGROUP_V1 ? 2000 * MIB : 1000 * MIB,
                                .swap_usage = rows[i].bytes,
                                .machine_bytes = 4000 * MIB,
                                .machine_swap_bytes = 1000 * MIB,
                                .stat = &stat };
        MnReading reading = reading_of(&state);

        CHECK(MIB_OF(reading, ANON) == rows[i].anon, "row %u", i);
        CHECK(MIB_OF(reading, FILE) == rows[i].anon, "row %u", i);
        CHECK(MIB_OF(reading, AVAILABLE) == rows[i].available, "row %u", i);
        CHECK(MIB_OF(reading, SWAP_USED) == rows[i].swap_used, "row %u", i);

        state.usage = rows[i].bytes;
        CHECK(MIB_OF(reading_of(&state), FREE) == mn_subtract(1000, rows[i].anon), "row %u", i);
    }
}

static void test_what_was_not_read_stays(void) {
    MnCgroupState state = { .version = MN_CGROUP_V2, .limit = 100 * MIB, .machine_bytes = 1000 * MIB };
    MnSample sample = { .known = MN_COUNTER_BIT(MN_COUNTER_ANON) };

    sample.counters[MN_COUNTER_ANON] = 4711;
    mn_cgroup_to_sample(&state, PAGE, &sample);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_ANON], 4711);
    CU_ASSERT_EQUAL(sample.known & MN_COUNTER_BIT(MN_COUNTER_MEM_AVAILABLE), 0);
    CU_ASSERT_NOT_EQUAL(sample.known & MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL), 0);
}

static guint offered_by(MnCgroupVersion version, gboolean counts_swap) {
    MnCgroupStat stat = { 0 };
    MnCgroupState state = { .version = version, .machine_bytes = MIB, .counts_swap = counts_swap, .stat = &stat };
    MnSample sample = { 0 };

    mn_cgroup_to_sample(&state, PAGE, &sample);
    return mn_cgroup_meters_offered(sample.known);
}

static void test_meters_that_are_offered(void) {
    const guint all = MN_METER_BIT(MN_N_METERS) - 1;
    const guint swap =
        MN_METER_BIT(MN_METER_SWAP_TOTAL) | MN_METER_BIT(MN_METER_SWAP_FREE) | MN_METER_BIT(MN_METER_SWAP_USED);
    const guint slab = MN_METER_BIT(MN_METER_SLAB_RECLAIMABLE);

    CU_ASSERT_EQUAL(offered_by(MN_CGROUP_V2, TRUE), all);
    CU_ASSERT_EQUAL(offered_by(MN_CGROUP_V2, FALSE), all & ~swap);
    CU_ASSERT_EQUAL(offered_by(MN_CGROUP_V1, TRUE), all & ~slab);
}

static void test_meters_that_need_stat(void) {
    for (guint id = 0; id < MN_N_METERS; id++) {
        gboolean expected = id != MN_METER_TOTAL && id != MN_METER_FREE && id != MN_METER_SWAP_TOTAL &&
                            id != MN_METER_SWAP_FREE && id != MN_METER_SWAP_USED;

        CHECK(mn_cgroup_needs_stat(mn_meters[id].needs) == expected, "%s", mn_meters[id].name);
    }
}

static CU_TestInfo text_tests[] = {
    { "numbers, and what is none", test_numbers },
    { "memory.stat of both versions", test_stat },
    { "a damaged memory.stat is refused whole", test_damaged_stat },
    { "keys of later kernels may be missing", test_a_long_stat_without_the_optional_keys_is_accepted },
    CU_TEST_INFO_NULL,
};

static CU_TestInfo meter_tests[] = {
    { "used is what cannot be reclaimed", test_used_is_what_cannot_be_reclaimed },
    { "total is the smallest limit, and the machine at most", test_limits },
    { "swap that is used", test_swap_that_is_used },
    { "no more is used than there is", test_no_more_is_used_than_there_is },
    { "what was not read stays", test_what_was_not_read_stays },
    { "meters that are offered", test_meters_that_are_offered },
    { "meters that need memory.stat", test_meters_that_need_stat },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "texts", NULL, NULL, NULL, NULL, text_tests },
                              { "meters", NULL, NULL, NULL, NULL, meter_tests },
                              CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
