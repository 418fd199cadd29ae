/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two samples -> is anonymous memory reclaimed? And the counters for it, as kernels call them. */
#include "core/reclaim.h"
#include "fixture.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define B(counter) MN_COUNTER_BIT(MN_COUNTER_##counter)

/* What has grown between two samples of a machine with 1000 pages that could be reclaimed. */
typedef struct Row {
    const char *name;
    guint64 swap_free;
    guint64 swapped_out;
    guint64 scanned_anon;
    guint64 scanned_kswapd, scanned_direct;
    guint64 reclaimed_kswapd, reclaimed_direct;
    guint64 anon, mapped, shmem; /* at the end */
    gboolean expected;
    guint64 kswapd_runs, direct_runs;
} Row;

static void check_rows(const Row *rows, guint n_rows, guint64 unknown) {
    for (guint i = 0; i < n_rows; i++) {
        const Row *row = &rows[i];
        MnSample then = { .known = ~unknown }, now;
        MnReclaim reclaim = { 0 };

        for (guint counter = 0; counter < MN_N_COUNTERS; counter++)
            then.counters[counter] = 100000;
        now = then;
        now.counters[MN_COUNTER_SWAP_FREE] = row->swap_free;
        now.counters[MN_COUNTER_SWAPPED_OUT] += row->swapped_out;
        now.counters[MN_COUNTER_SCANNED_ANON] += row->scanned_anon;
        now.counters[MN_COUNTER_SCANNED_KSWAPD] += row->scanned_kswapd;
        now.counters[MN_COUNTER_SCANNED_DIRECT] += row->scanned_direct;
        now.counters[MN_COUNTER_RECLAIMED_KSWAPD] += row->reclaimed_kswapd;
        now.counters[MN_COUNTER_RECLAIMED_DIRECT] += row->reclaimed_direct;
        now.counters[MN_COUNTER_KSWAPD_RUNS] += row->kswapd_runs;
        now.counters[MN_COUNTER_DIRECT_RUNS] += row->direct_runs;
        now.counters[MN_COUNTER_ANON] = row->anon;
        now.counters[MN_COUNTER_SLAB_RECLAIMABLE] = 50;
        now.counters[MN_COUNTER_FILE] = 950 - row->anon;
        now.counters[MN_COUNTER_MAPPED] = row->mapped;
        now.counters[MN_COUNTER_SHMEM] = row->shmem;
        mn_reclaim_advance(&reclaim, &then);
        mn_reclaim_advance(&reclaim, &now);
        CHECK(reclaim.takes_anonymous == row->expected, "%s", row->name);
    }
}

static void test_with_swap(void) {
    static const Row rows[] = {
        { "nothing", 500, 0, 0, 0, 0, 0, 0, 900, 0, 0, FALSE, 0, 0 },
        { "one anonymous page was looked at", 500, 0, 1, 0, 0, 0, 0, 0, 0, 0, TRUE, 0, 0 },
        { "kswapd runs", 500, 0, 0, 0, 0, 0, 0, 900, 0, 0, FALSE, 9, 9 },
        { "only page cache, however much is mapped", 500, 0, 0, 900, 900, 0, 0, 900, 0, 0, FALSE, 0, 0 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 0);
}

static void test_without_swap(void) {
    static const Row rows[] = {
        { "no reclaim, however much is mapped", 0, 0, 0, 0, 0, 0, 0, 950, 0, 0, FALSE, 0, 0 },
        { "reclaim of page cache", 0, 0, 0, 100, 0, 100, 0, 799, 0, 0, FALSE, 0, 0 },
        { "80 % anonymous", 0, 0, 0, 100, 0, 100, 0, 800, 0, 0, TRUE, 0, 0 },
        { "80 % anonymous or mapped", 0, 0, 0, 1, 0, 1, 0, 500, 300, 0, TRUE, 0, 0 },
        { "mapped shared memory counts once", 0, 0, 0, 1, 0, 1, 0, 500, 200, 250, FALSE, 0, 0 },
        { "80 % anonymous or shared", 0, 0, 0, 0, 1, 0, 1, 500, 0, 300, TRUE, 0, 0 },
        { "59 % in vain", 0, 0, 0, 1000, 0, 410, 0, 0, 0, 0, FALSE, 0, 0 },
        { "60 % in vain", 0, 0, 0, 1000, 0, 400, 0, 0, 0, 0, TRUE, 0, 0 },
        { "60 % in vain, of both kinds", 0, 0, 0, 500, 500, 200, 200, 0, 0, 0, TRUE, 0, 0 },
        { "512 pages in vain", 0, 0, 0, 512, 0, 0, 0, 0, 0, 0, TRUE, 0, 0 },
        { "too few to say", 0, 0, 0, 511, 0, 0, 0, 0, 0, 0, FALSE, 0, 0 },
        { "runs that may just have begun", 0, 0, 0, 0, 0, 0, 0, 900, 0, 0, FALSE, 2, 1 },
        { "kswapd found nothing to scan", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TRUE, 4, 0 },
        { "allocations found nothing to scan", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, TRUE, 0, 4 },
        { "kswapd found something", 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, FALSE, 9, 9 },
        { "more was reclaimed than scanned", 0, 0, 0, 50, 0, 80, 0, 0, 0, 0, FALSE, 0, 0 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), 0);
}

/* Before 5.8. */
static void test_without_anonymous_counter(void) {
    static const Row rows[] = {
        { "written out", 500, 1, 0, 0, 0, 0, 0, 0, 0, 0, TRUE, 0, 0 },
        { "reclaim of page cache", 500, 0, 7, 100, 0, 100, 0, 100, 0, 0, FALSE, 0, 0 },
        { "reclaim with 80 % anonymous", 500, 0, 0, 100, 0, 100, 0, 800, 0, 0, TRUE, 0, 0 },
    };

    check_rows(rows, G_N_ELEMENTS(rows), B(SCANNED_ANON));
}

static void test_is_on(void) {
    static const MnCounter signs[] = { MN_COUNTER_SCANNED_KSWAPD, MN_COUNTER_SCANNED_DIRECT, MN_COUNTER_KSWAPD_RUNS,
                                       MN_COUNTER_DIRECT_RUNS };
    MnSample sample = { .known = ~G_GUINT64_CONSTANT(0) };
    MnReclaim reclaim = { 0 };

    sample.counters[MN_COUNTER_DIRECT_RUNS] = 7777; /* before anybody looked */
    mn_reclaim_advance(&reclaim, &sample);
    CU_ASSERT_FALSE(reclaim.is_on);
    for (guint i = 0; i < G_N_ELEMENTS(signs); i++) {
        sample.counters[signs[i]]++;
        mn_reclaim_advance(&reclaim, &sample);
        CHECK(reclaim.is_on, "counter %u", signs[i]);
        mn_reclaim_advance(&reclaim, &sample);
        CHECK(!reclaim.is_on, "counter %u", signs[i]);
    }
}

/* Pages are counted as scanned before they are counted as reclaimed: small numbers say nothing. */
static void test_window(void) {
    MnSample sample = { .known = ~G_GUINT64_CONSTANT(0) };
    MnReclaim reclaim = { 0 };

    mn_reclaim_advance(&reclaim, &sample);
    for (guint i = 0; i < 100; i++) { /* 32 more are always on the way */
        sample.counters[MN_COUNTER_SCANNED_KSWAPD] = 32 * (i + 1);
        sample.counters[MN_COUNTER_RECLAIMED_KSWAPD] = 32 * i;
        mn_reclaim_advance(&reclaim, &sample);
        CHECK(!reclaim.takes_anonymous, "step %u", i);
    }
    for (guint i = 0; i < 15; i++) {
        sample.counters[MN_COUNTER_SCANNED_KSWAPD] += 32;
        mn_reclaim_advance(&reclaim, &sample);
    }
    sample.counters[MN_COUNTER_SCANNED_KSWAPD] += 512;
    mn_reclaim_advance(&reclaim, &sample);
    CU_ASSERT_TRUE(reclaim.takes_anonymous);
    mn_reclaim_advance(&reclaim, &sample); /* a new window */
    CU_ASSERT_FALSE(reclaim.takes_anonymous);
}

static void test_growth(void) {
    MnSample then = { .known = B(SWAPPED_OUT) | B(SCANNED_ANON) };
    MnSample now = { .known = B(SWAPPED_OUT) | B(SCANNED_KSWAPD) };

    then.counters[MN_COUNTER_SWAPPED_OUT] = 10;
    now.counters[MN_COUNTER_SWAPPED_OUT] = 12;
    CU_ASSERT_EQUAL(mn_reclaim_growth(&then, &now, MN_COUNTER_SWAPPED_OUT), 2);
    now.counters[MN_COUNTER_SWAPPED_OUT] = 9;
    CU_ASSERT_EQUAL(mn_reclaim_growth(&then, &now, MN_COUNTER_SWAPPED_OUT), 0);
    now.counters[MN_COUNTER_SCANNED_KSWAPD] = 5;
    CU_ASSERT_EQUAL(mn_reclaim_growth(&then, &now, MN_COUNTER_SCANNED_KSWAPD), 0);
    now.counters[MN_COUNTER_SCANNED_ANON] = 5;
    CU_ASSERT_EQUAL(mn_reclaim_growth(&then, &now, MN_COUNTER_SCANNED_ANON), 0);
}

static void test_huge(void) {
    MnSample small = { .known = ~G_GUINT64_CONSTANT(0) }, huge = small;
    MnReclaim reclaim = { 0 };

    for (guint i = 0; i < MN_N_COUNTERS; i++)
        huge.counters[i] = G_MAXUINT64;
    huge.counters[MN_COUNTER_SWAP_FREE] = 0;
    mn_reclaim_advance(&reclaim, &small);
    mn_reclaim_advance(&reclaim, &huge);
    CU_ASSERT_TRUE(reclaim.takes_anonymous);
    mn_reclaim_advance(&reclaim, &small); /* all went backwards */
    CU_ASSERT_FALSE(reclaim.takes_anonymous);
}

static MnSample sample_of(const char *machine, guint64 needed, gsize *ret_span) {
    gsize len;
    g_autofree char *text = fixture_read(machine, "vmstat", &len);
    MnSample sample = { 0 };

    CU_ASSERT_EQUAL_FATAL(mn_sample_parse_vmstat(text, len, needed, &sample, ret_span), 0);
    return sample;
}

static void test_names_of_kernels(void) {
    static const struct {
        const char *machine;
        MnCounter counter;
        gint64 expected; /* -1: unknown */
    } rows[] = {
        { "debian-6.1-zram", MN_COUNTER_SWAPPED_OUT, 29996 },
        { "debian-6.1-zram", MN_COUNTER_SCANNED_ANON, 75219 },
        { "debian-6.1-zram", MN_COUNTER_SCANNED_KSWAPD, 283149 },
        { "debian-6.1-zram", MN_COUNTER_SCANNED_DIRECT, 20383 },
        { "debian-6.1-zram", MN_COUNTER_RECLAIMED_KSWAPD, 254597 },
        { "debian-6.1-zram", MN_COUNTER_RECLAIMED_DIRECT, 3701 },
        { "debian-6.1-zram", MN_COUNTER_RECLAIMED, -1 },
        { "debian-6.1-zram", MN_COUNTER_DIRECT_RUNS, 81 },
        { "debian-5.10", MN_COUNTER_SCANNED_ANON, 0 },
        { "ancient-2.6.32", MN_COUNTER_DIRECT_RUNS, 72 },
        { "ancient-2.6.32", MN_COUNTER_SWAPPED_OUT, 4390 },
        { "ancient-2.6.32", MN_COUNTER_SCANNED_ANON, -1 },
        { "ancient-2.6.32", MN_COUNTER_SCANNED_KSWAPD, 640 + 231744 },
        { "ancient-2.6.32", MN_COUNTER_SCANNED_DIRECT, 10208 },
        { "ancient-2.6.32", MN_COUNTER_RECLAIMED, 511 + 209412 },
        { "ancient-2.6.32", MN_COUNTER_RECLAIMED_KSWAPD, -1 },
        { "odd-huge-numbers", MN_COUNTER_SCANNED_KSWAPD, 227235 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize span;
        MnSample sample = sample_of(rows[i].machine, 0, &span);
        gint64 found = sample.known & MN_COUNTER_BIT(rows[i].counter) ? (gint64)sample.counters[rows[i].counter] : -1;

        CHECK(found == rows[i].expected, "%s, counter %u: %" G_GINT64_FORMAT, rows[i].machine, rows[i].counter, found);
    }
}

/* The counters far down in the text are only read for those who need them. */
static void test_needed(void) {
    gsize short_span, long_span, span;
    MnSample sample = sample_of("debian-6.1", B(SHMEM), &short_span);

    CU_ASSERT_EQUAL(sample.known & MN_COUNTERS_RECLAIM, 0);
    sample = sample_of("debian-6.1", B(SHMEM) | B(SWAPPED_OUT), &long_span);
    CU_ASSERT_TRUE(sample.known & B(SWAPPED_OUT));
    CU_ASSERT_TRUE(long_span > short_span);
    sample_of("debian-6.1", B(RECLAIMED_DIRECT), &span);
    CU_ASSERT_TRUE(span > long_span);
}

/* A text that ends within the parts of a sum does not have it. */
static void test_incomplete_sum(void) {
    static const char text[] = "nr_shmem 1\npgscan_direct_dma 5\npgscan_direct_normal 6\n";
    static const char whole[] = "pgscan_direct_dma 5\npgscan_direct_normal 6\npgscan_direct_movable 7\n";
    static const char turned[] = "pgscan_direct_movable 7\npgscan_direct_dma 5\n";
    static const char twice[] = "pgscan_direct_dma 5\npgscan_direct_dma 6\npgscan_direct_movable 7\n";
    static const char other[] = "pgscan_direct_throttle 5\npgscan_direct_movable_x 6\n";
    MnSample sample = { 0 };
    gsize span;

    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, strlen(text), B(SCANNED_DIRECT), &sample, &span), -EBADMSG);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, strlen(text), B(SHMEM) | B(MAPPED), &sample, &span), -EBADMSG);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, strlen(text), 0, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_SCANNED_DIRECT], 0);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(turned, strlen(turned), B(SCANNED_DIRECT), &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_SCANNED_DIRECT], 12);
    CU_ASSERT_EQUAL(span, strlen(turned));
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(whole, strlen(whole), B(SCANNED_DIRECT), &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_SCANNED_DIRECT], 18);
    CU_ASSERT_EQUAL(span, strlen(whole));
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(twice, strlen(twice), B(SCANNED_DIRECT), &sample, &span), -EBADMSG);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(other, strlen(other), B(SCANNED_DIRECT), &sample, &span), -EBADMSG);
}

static CU_TestInfo tests[] = {
    { "with swap", test_with_swap },
    { "without swap", test_without_swap },
    { "kernels that do not count anonymous pages", test_without_anonymous_counter },
    { "any reclaim", test_is_on },
    { "whether it is in vain is seen over 512 pages", test_window },
    { "counters that go back or are unknown have not grown", test_growth },
    { "huge numbers", test_huge },
    { "the names that kernels have for them", test_names_of_kernels },
    { "they are read when they are needed", test_needed },
    { "sums over zones are there when they are complete", test_incomplete_sum },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "reclaim", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
