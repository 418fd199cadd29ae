/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of meters. */
#include "core/meter.h"
#include "fixture.h"
#include "runner.h"

#include <string.h>

#define ALL_COUNTERS (MN_COUNTERS_VMSTAT | MN_COUNTERS_MEMINFO)
#define ALL_METERS ((1U << MN_N_METERS) - 1)
#define B(counter) MN_COUNTER_BIT(MN_COUNTER_##counter)
#define M(meter) MN_METER_BIT(MN_METER_##meter)

static void test_names(void) {
    for (guint id = 0; id < MN_N_METERS; id++) {
        const char *name = mn_meters[id].name;
        gsize len = strlen(name);

        CHECK(mn_meter_find(name, len) == (int)id, "%s", name);
        CHECK(mn_meter_find(name, len - 1) != (int)id, "%s", name);
        CHECK(mn_meter_find(name, 0) == -1, "%s", name);
    }
    CU_ASSERT_EQUAL(mn_meter_find("used 5", 4), MN_METER_USED);
    CU_ASSERT_EQUAL(mn_meter_find("used 5", 5), -1);
    CU_ASSERT_EQUAL(mn_meter_find("USED", 4), -1);
    CU_ASSERT_EQUAL(mn_meter_find("use\0", 4), -1);
}

static void test_the_drivers_come_first(void) {
    CU_ASSERT_STRING_EQUAL(mn_meters[0].name, "used");
    CU_ASSERT_STRING_EQUAL(mn_meters[1].name, "active");
    CU_ASSERT_STRING_EQUAL(mn_meters[2].name, "total");
}

static void test_a_meter_without_its_counter_is_not_offered(void) {
    static const struct {
        const char *name;
        guint64 missing;
        guint not_offered;
    } rows[] = {
        { "all are there", 0, 0 },
        { "nr_free_pages", B(VM_FREE), 0 },
        { "MemFree, for which nr_free_pages stands in", B(MEM_FREE), 0 },
        { "both", B(VM_FREE) | B(MEM_FREE), M(USED) | M(FREE) },
        { "nr_mlock", B(MLOCKED), M(USED) | M(MLOCKED) },
        { "nr_active_anon", B(ACTIVE_ANON), M(ACTIVE) },
        { "nr_active_file", B(ACTIVE_FILE), M(ACTIVE) },
        { "nr_slab_reclaimable", B(SLAB_RECLAIMABLE), M(USED) | M(SLAB_RECLAIMABLE) },
        { "nr_anon_pages", B(ANON), M(ANON) },
        { "nr_file_pages", B(FILE), M(USED) | M(FILE) },
        { "nr_dirty", B(DIRTY), M(DIRTY) },
        { "nr_shmem", B(SHMEM), M(USED) | M(SHMEM) },
        { "MemTotal", B(MEM_TOTAL), M(USED) | M(TOTAL) | M(AVAILABLE) },
        { "MemAvailable, as before 3.14", B(MEM_AVAILABLE), M(AVAILABLE) },
        { "SwapTotal", B(SWAP_TOTAL), M(SWAP_TOTAL) | M(SWAP_USED) },
        { "SwapFree", B(SWAP_FREE), M(SWAP_FREE) | M(SWAP_USED) },
        { "all", ALL_COUNTERS, ALL_METERS },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(mn_meters_offered(ALL_COUNTERS & ~rows[i].missing) == (ALL_METERS & ~rows[i].not_offered), "without %s",
              rows[i].name);
}

static void test_what_the_machines_offer(void) {
    g_autoptr(GPtrArray) machines = fixture_names("");

    for (guint i = 0; i < machines->len; i++) {
        const char *machine = g_ptr_array_index(machines, i);
        gsize vmstat_len, meminfo_len, span;
        g_autofree char *vmstat = fixture_read(machine, "vmstat", &vmstat_len);
        g_autofree char *meminfo = fixture_read(machine, "meminfo", &meminfo_len);
        gboolean is_ancient = g_str_has_prefix(machine, "ancient");
        MnSample sample = { 0 };

        CHECK(mn_sample_parse_vmstat(vmstat, vmstat_len, 0, &sample, &span) == 0, "%s", machine);
        CHECK(mn_sample_parse_meminfo(meminfo, meminfo_len, 0, 4, &sample, &span) == 0, "%s", machine);
        CHECK(mn_meters_offered(sample.known) == (is_ancient ? ALL_METERS & ~M(AVAILABLE) : ALL_METERS), "%s", machine);
    }
}

/* The sources of a meter have all the counters that it needs. */
static void test_sources(void) {
    for (guint id = 0; id < MN_N_METERS; id++) {
        guint64 there = (mn_meters[id].sources & MN_SOURCE_VMSTAT ? MN_COUNTERS_VMSTAT : 0) |
                        (mn_meters[id].sources & MN_SOURCE_MEMINFO ? MN_COUNTERS_MEMINFO : 0);

        CHECK((mn_meters[id].needs & ~there) == 0, "%s", mn_meters[id].name);
    }
}

#define MAX64 G_MAXUINT64

static void test_used(void) {
    static const struct {
        const char *name;
        guint64 total, swap_total, shmem, mlocked, free, slab, file, swap_free, expected;
    } rows[] = {
        { "nothing is free", 1000, 0, 0, 0, 0, 0, 0, 0, 1000 },
        { "each is taken off", 100000, 0, 0, 0, 1, 20, 300, 0, 99679 },
        { "swap", 100000, 50000, 0, 0, 0, 0, 0, 40000, 110000 },
        { "shared and locked memory count", 100000, 0, 7, 60, 0, 0, 1000, 0, 99067 },
        { "exactly nothing", 1000, 0, 0, 0, 1000, 0, 0, 0, 0 },
        { "less than nothing", 1000, 0, 0, 0, 1001, 0, 0, 0, 0 },
        { "much less than nothing", 1000, 0, 0, 0, MAX64, MAX64, MAX64, MAX64, 0 },
        { "sums that overflow", MAX64, MAX64, MAX64, MAX64, 0, 0, 0, 0, MAX64 },
        { "on both sides", MAX64, MAX64, 0, 0, MAX64, MAX64, 0, 0, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnSample sample = { .known = ALL_COUNTERS };
        MnReading reading;

        sample.counters[MN_COUNTER_MEM_TOTAL] = rows[i].total;
        sample.counters[MN_COUNTER_SWAP_TOTAL] = rows[i].swap_total;
        sample.counters[MN_COUNTER_SHMEM] = rows[i].shmem;
        sample.counters[MN_COUNTER_MLOCKED] = rows[i].mlocked;
        sample.counters[MN_COUNTER_MEM_FREE] = rows[i].free;
        sample.counters[MN_COUNTER_VM_FREE] = 12345; /* not used when there is MemFree */
        sample.counters[MN_COUNTER_SLAB_RECLAIMABLE] = rows[i].slab;
        sample.counters[MN_COUNTER_FILE] = rows[i].file;
        sample.counters[MN_COUNTER_SWAP_FREE] = rows[i].swap_free;
        mn_reading_from_sample(&sample, &reading);
        CHECK(reading.pages[MN_METER_USED] == rows[i].expected, "%s: %" G_GUINT64_FORMAT, rows[i].name,
              reading.pages[MN_METER_USED]);
    }
}

/* It counts as page cache, which MemAvailable does not know of. */
static void test_the_cache_of_zfs(void) {
    static const struct {
        guint64 available, arc, expected_available, expected_used;
    } rows[] = {
        { 100, 0, 100, 950 },
        { 100, 300, 400, 650 },
        { 100, 950, 1000, 0 },
        { MAX64, MAX64, 1000, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnSample sample = { .known = ALL_COUNTERS };
        MnReading reading;

        sample.counters[MN_COUNTER_MEM_TOTAL] = 1000;
        sample.counters[MN_COUNTER_MEM_FREE] = 50;
        sample.counters[MN_COUNTER_MEM_AVAILABLE] = rows[i].available;
        sample.counters[MN_COUNTER_ARC] = rows[i].arc;
        mn_reading_from_sample(&sample, &reading);
        CHECK(reading.pages[MN_METER_AVAILABLE] == rows[i].expected_available, "row %u", i);
        CHECK(reading.pages[MN_METER_USED] == rows[i].expected_used, "row %u", i);
        CHECK(reading.pages[MN_METER_FREE] == 50 && reading.pages[MN_METER_FILE] == 0, "row %u", i);
    }
}

static void test_free(void) {
    MnSample sample = { .known = ALL_COUNTERS };
    MnReading reading;

    sample.counters[MN_COUNTER_VM_FREE] = 7;
    sample.counters[MN_COUNTER_MEM_FREE] = 8;
    mn_reading_from_sample(&sample, &reading);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_FREE], 8);

    sample.known &= ~B(MEM_FREE);
    mn_reading_from_sample(&sample, &reading);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_FREE], 7);
}

static void test_other_sums(void) {
    MnSample sample = { .known = ALL_COUNTERS };
    MnReading reading;

    sample.counters[MN_COUNTER_ACTIVE_ANON] = 3;
    sample.counters[MN_COUNTER_ACTIVE_FILE] = 40;
    sample.counters[MN_COUNTER_MEM_TOTAL] = 500;
    sample.counters[MN_COUNTER_SWAP_TOTAL] = 60;
    sample.counters[MN_COUNTER_SWAP_FREE] = 20;
    mn_reading_from_sample(&sample, &reading);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_ACTIVE], 43);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_TOTAL], 560);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_SWAP_USED], 40);

    sample.counters[MN_COUNTER_ACTIVE_ANON] = MAX64;
    sample.counters[MN_COUNTER_MEM_TOTAL] = MAX64;
    sample.counters[MN_COUNTER_SWAP_FREE] = 61;
    mn_reading_from_sample(&sample, &reading);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_ACTIVE], MAX64);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_TOTAL], MAX64);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_SWAP_USED], 0);
}

static void test_unknown_is_0(void) {
    MnSample sample = { 0 };
    MnReading reading;

    memset(&reading, 0x5a, sizeof reading);
    mn_reading_from_sample(&sample, &reading);
    for (guint id = 0; id < MN_N_METERS; id++)
        CHECK(reading.pages[id] == 0, "%s", mn_meters[id].name);
}

/* As OpenMetrics needs no escapes for. */
static void test_each_has_a_help(void) {
    for (guint id = 0; id < MN_N_METERS; id++) {
        const char *help = mn_meters[id].help;

        CHECK(help && g_str_has_suffix(help, ".") && !strpbrk(help, "\\\"\n"), "%s", mn_meters[id].name);
    }
}

static CU_TestInfo tests[] = {
    { "a meter is found by its whole name", test_names },
    { "the driver's meters come first", test_the_drivers_come_first },
    { "a meter without its counter is not offered", test_a_meter_without_its_counter_is_not_offered },
    { "what the machines offer", test_what_the_machines_offer },
    { "the sources have what is needed", test_sources },
    { "used", test_used },
    { "the cache of ZFS", test_the_cache_of_zfs },
    { "free is MemFree where there is one", test_free },
    { "sums saturate and differences stop at 0", test_other_sums },
    { "unknown counters are 0", test_unknown_is_0 },
    { "each has a help", test_each_has_a_help },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "meter", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
