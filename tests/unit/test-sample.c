/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel texts -> MnSample: of this kernel, of the machines below tests/fixtures, and hostile ones. */
#include "core/meter.h"
#include "core/sample.h"
#include "fixture.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define PAGE_KIB 4
#define NOTHING_NEEDED 0
#define BAD (-EBADMSG)

/* The two texts of a moment. */
typedef struct Texts {
    char *vmstat;
    char *meminfo;
    gsize vmstat_len;
    gsize meminfo_len;
} Texts;

static void texts_clear(Texts *self) {
    g_free(self->vmstat);
    g_free(self->meminfo);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_clear)

static Texts texts_of(const char *machine) {
    Texts texts;

    texts.vmstat = fixture_read(machine, "vmstat", &texts.vmstat_len);
    texts.meminfo = fixture_read(machine, "meminfo", &texts.meminfo_len);
    return texts;
}

static Texts texts_of_this_kernel(void) {
    Texts texts;

    if (!g_file_get_contents("/proc/vmstat", &texts.vmstat, &texts.vmstat_len, NULL) ||
        !g_file_get_contents("/proc/meminfo", &texts.meminfo, &texts.meminfo_len, NULL))
        g_error("cannot read /proc");
    return texts;
}

static int parse(const Texts *texts, guint64 needed, MnSample *ret) {
    gsize span;
    int r;

    r = mn_sample_parse_vmstat(texts->vmstat, texts->vmstat_len, needed, ret, &span);
    if (r < 0)
        return r;
    r = mn_sample_parse_meminfo(texts->meminfo, texts->meminfo_len, needed, PAGE_KIB, ret, &span);
    if (r == 0)
        mn_sample_bound_parts(ret);
    return r;
}

static guint64 pages(const Texts *texts, const char *key) {
    return fixture_number(texts->vmstat, texts->vmstat_len, key);
}

static guint64 kib(const Texts *texts, const char *key) {
    return fixture_number(texts->meminfo, texts->meminfo_len, key);
}

__extension__ typedef unsigned __int128 Wide;

static guint64 clamp(Wide pages) {
    return pages > G_MAXUINT64 ? G_MAXUINT64 : (guint64)pages;
}

/* A part of a whole that is told as more than it, or as less than 0. */
static guint64 part(guint64 pages, guint64 whole) {
    return pages <= whole ? pages : pages > MN_PAGES_MOST ? 0 : whole;
}

static guint64 memory_pages(const Texts *texts, const char *key) {
    return part(pages(texts, key), kib(texts, "MemTotal:") / PAGE_KIB);
}

static guint64 memory_kib(const Texts *texts, const char *key) {
    return part(kib(texts, key) / PAGE_KIB, kib(texts, "MemTotal:") / PAGE_KIB);
}

static guint64 swap_free_kib(const Texts *texts) {
    guint64 total = kib(texts, "SwapTotal:"), free = kib(texts, "SwapFree:");

    return free <= total ? free : free / PAGE_KIB > MN_PAGES_MOST ? 0 : total;
}

/* The driver's formula, reckoned in numbers so wide that nothing overflows, and clamped. */
static guint64 expected_used(const Texts *texts) {
    guint64 there =
        clamp((Wide)clamp((Wide)(kib(texts, "MemTotal:") / PAGE_KIB) + kib(texts, "SwapTotal:") / PAGE_KIB) +
              memory_pages(texts, "nr_shmem ") + memory_pages(texts, "nr_mlock "));
    guint64 unused = clamp((Wide)(memory_kib(texts, "MemFree:")) + swap_free_kib(texts) / PAGE_KIB +
                           memory_pages(texts, "nr_file_pages ") + memory_pages(texts, "nr_slab_reclaimable "));

    return there > unused ? there - unused : 0;
}

/* The same from meminfo alone. */
static gint64 expected_used_by_meminfo(const Texts *texts) {
    gint64 used_kib = kib(texts, "MemTotal:") + kib(texts, "SwapTotal:") - kib(texts, "MemFree:") -
                      kib(texts, "SReclaimable:") - kib(texts, "Buffers:") - kib(texts, "Cached:") -
                      kib(texts, "SwapCached:") + kib(texts, "Shmem:") + kib(texts, "Mlocked:") - swap_free_kib(texts);

    return used_kib / PAGE_KIB;
}

static void check_formulas(const char *machine, const Texts *texts) {
    MnSample sample = { 0 };
    MnReading reading;

    CHECK(parse(texts, NOTHING_NEEDED, &sample) == 0, "%s", machine);
    mn_reading_from_sample(&sample, &reading);

    CHECK(reading.pages[MN_METER_USED] == expected_used(texts), "%s", machine);
    CHECK(reading.pages[MN_METER_ACTIVE] ==
              clamp((Wide)memory_pages(texts, "nr_active_anon ") + memory_pages(texts, "nr_active_file ")),
          "%s", machine);
    CHECK(reading.pages[MN_METER_TOTAL] == kib(texts, "MemTotal:") / PAGE_KIB + kib(texts, "SwapTotal:") / PAGE_KIB,
          "%s", machine);
    CHECK(reading.pages[MN_METER_FREE] == memory_kib(texts, "MemFree:"), "%s", machine);
    CHECK(reading.pages[MN_METER_AVAILABLE] == memory_kib(texts, "MemAvailable:"), "%s", machine);
    CHECK(reading.pages[MN_METER_ANON] == memory_pages(texts, "nr_anon_pages "), "%s", machine);
    CHECK(reading.pages[MN_METER_FILE] == memory_pages(texts, "nr_file_pages "), "%s", machine);
    CHECK(reading.pages[MN_METER_SHMEM] == memory_pages(texts, "nr_shmem "), "%s", machine);
    CHECK(reading.pages[MN_METER_SLAB_RECLAIMABLE] == memory_pages(texts, "nr_slab_reclaimable "), "%s", machine);
    CHECK(reading.pages[MN_METER_MLOCKED] == memory_pages(texts, "nr_mlock "), "%s", machine);
    CHECK(reading.pages[MN_METER_DIRTY] == memory_pages(texts, "nr_dirty "), "%s", machine);
    CHECK(reading.pages[MN_METER_SWAP_TOTAL] == kib(texts, "SwapTotal:") / PAGE_KIB, "%s", machine);
    CHECK(reading.pages[MN_METER_SWAP_FREE] == swap_free_kib(texts) / PAGE_KIB, "%s", machine);
    CHECK(reading.pages[MN_METER_SWAP_USED] == kib(texts, "SwapTotal:") / PAGE_KIB - swap_free_kib(texts) / PAGE_KIB,
          "%s", machine);
}

static void test_meters_of_all_machines(void) {
    g_autoptr(GPtrArray) machines = fixture_names("");
    guint n_with_swap = 0;

    for (guint i = 0; i < machines->len; i++) {
        g_auto(Texts) texts = texts_of(g_ptr_array_index(machines, i));

        check_formulas(g_ptr_array_index(machines, i), &texts);
        n_with_swap += kib(&texts, "SwapTotal:") > 0;
    }
    CU_ASSERT_TRUE(n_with_swap > 0 && n_with_swap < machines->len);
}

static void test_meters_of_this_kernel(void) {
    g_auto(Texts) texts = texts_of_this_kernel();

    check_formulas("this kernel", &texts);
}

/* The two files of a recording were read one after the other, so the sums may differ by what
 * happened in between: 4 MiB are allowed, less than any term that could be forgotten. */
static void test_used_agrees_with_meminfo_alone(void) {
    static const char *const machines[] = { "debian-5.10", "debian-6.1", "debian-6.1-zram", "debian-6.12",
                                            "numa2-6.1",   "cpus64-6.1", "ancient-2.6.32",  "guest-6.18-plugged" };

    for (guint i = 0; i < G_N_ELEMENTS(machines); i++) {
        g_auto(Texts) texts = texts_of(machines[i]);
        MnSample sample = { 0 };
        MnReading reading;
        gint64 difference;

        CHECK(parse(&texts, NOTHING_NEEDED, &sample) == 0, "%s", machines[i]);
        mn_reading_from_sample(&sample, &reading);
        difference = (gint64)reading.pages[MN_METER_USED] - expected_used_by_meminfo(&texts);
        CHECK(ABS(difference) <= 1024, "%s: %" G_GINT64_FORMAT " pages", machines[i], difference);
    }
}

/* On a busy machine the two texts rarely belong to the same moment, so it has many tries. */
static void test_used_of_this_kernel_is_exact(void) {
    gint64 difference = 1;

    for (guint try = 0; try < 20000 && difference != 0; try++) {
        g_auto(Texts) texts = texts_of_this_kernel();
        MnSample sample = { 0 };
        MnReading reading;

        CU_ASSERT_EQUAL_FATAL(parse(&texts, NOTHING_NEEDED, &sample), 0);
        mn_reading_from_sample(&sample, &reading);
        difference = (gint64)reading.pages[MN_METER_USED] - expected_used_by_meminfo(&texts);
    }
    CU_ASSERT_EQUAL(difference, 0);
}

static guint64 known_of(const char *machine) {
    g_auto(Texts) texts = texts_of(machine);
    MnSample sample = { 0 };

    CU_ASSERT_EQUAL_FATAL(parse(&texts, NOTHING_NEEDED, &sample), 0);
    return sample.known;
}

static void check_bad(const char *prefix, gboolean is_vmstat) {
    g_autoptr(GPtrArray) machines = fixture_names(prefix);
    guint64 needed = known_of("debian-6.1"); /* of which all of them were made */

    for (guint i = 0; i < machines->len; i++) {
        const char *machine = g_ptr_array_index(machines, i);
        g_auto(Texts) texts = texts_of(machine);
        MnSample sample, before;
        gsize span = 4711;
        int r;

        memset(&before, 0x5a, sizeof before);
        sample = before;
        r = is_vmstat ? mn_sample_parse_vmstat(texts.vmstat, texts.vmstat_len, needed, &sample, &span)
                      : mn_sample_parse_meminfo(texts.meminfo, texts.meminfo_len, needed, PAGE_KIB, &sample, &span);
        CHECK(r == BAD, "%s", machine);
        CHECK(memcmp(&sample, &before, sizeof sample) == 0 && span == 4711, "%s", machine);
    }
}

static void test_bad_vmstat(void) {
    check_bad("bad-vmstat-", TRUE);
}

static void test_bad_meminfo(void) {
    check_bad("bad-meminfo-", FALSE);
}

typedef struct Row {
    const char *text;
    gsize len; /* 0 for strlen(text) */
    int expected;
    MnCounter counter;
    gint64 pages; /* -1: unknown */
} Row;

#define BYTES(literal) literal, sizeof(literal) - 1

static void check_row_of(const Row *row, gboolean is_vmstat) {
    gsize len = row->len > 0 ? row->len : strlen(row->text), span = 4711;
    g_autofree char *text = memcpy(g_malloc(MAX(len, 1)), row->text, len);
    MnSample sample, before;
    int r;

    memset(&before, 0x5a, sizeof before);
    sample = before;
    r = is_vmstat ? mn_sample_parse_vmstat(text, len, NOTHING_NEEDED, &sample, &span)
                  : mn_sample_parse_meminfo(text, len, NOTHING_NEEDED, PAGE_KIB, &sample, &span);
    CHECK(r == row->expected, "%s", row->text);
    if (r < 0) {
        CHECK(memcmp(&sample, &before, sizeof sample) == 0 && span == 4711, "%s", row->text);
    } else if (row->pages >= 0) {
        CHECK(sample.known & MN_COUNTER_BIT(row->counter), "%s", row->text);
        CHECK(sample.counters[row->counter] == (guint64)row->pages, "%s", row->text);
    } else {
        CHECK(!(sample.known & MN_COUNTER_BIT(row->counter)), "%s", row->text);
        CHECK(sample.counters[row->counter] == 0, "%s", row->text);
    }
}

static void test_vmstat_lines(void) {
    static const Row rows[] = {
        { "nr_file_pages 7\n", 0, 0, MN_COUNTER_FILE, 7 },
        { "nr_dirty 0\n", 0, 0, MN_COUNTER_DIRTY, 0 },
        { "a 1\nnr_mlock 7\nz 2\n", 0, 0, MN_COUNTER_MLOCKED, 7 },
        { "nr_file_pages 007\n", 0, 0, MN_COUNTER_FILE, 7 },
        { "nr_file_pages   7\n", 0, 0, MN_COUNTER_FILE, 7 },
        { "nr_file_pages 9223372036854775807\n", 0, 0, MN_COUNTER_FILE, G_MAXINT64 },
        { "\n\nnr_file_pages 7\n\n", 0, 0, MN_COUNTER_FILE, 7 },
        /* not ours */
        { "\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "x\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "nr_dirtied 5\n", 0, 0, MN_COUNTER_DIRTY, -1 },
        { "nr_dirty_threshold 5\n", 0, 0, MN_COUNTER_DIRTY, -1 },
        { "nr_shmem_hugepages 5\n", 0, 0, MN_COUNTER_SHMEM, -1 },
        { "nr_file_pagesx 5\n", 0, 0, MN_COUNTER_FILE, -1 },
        { " nr_file_pages 5\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "NR_FILE_PAGES 5\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "nr_zone_active_anon 5\n", 0, 0, MN_COUNTER_ACTIVE_ANON, -1 },
        { "unknown many\nunknown 99999999999999999999999\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "unknown 5\nunknown 6\n", 0, 0, MN_COUNTER_FILE, -1 },
        { "MemTotal: 5 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, 0x5a5a5a5a5a5a5a5a },
        /* not good */
        { "", 0, BAD, 0, 0 },
        { "nr_file_pages 7", 0, BAD, 0, 0 },
        { "nr_file_pages 7\nnr_dir", 0, BAD, 0, 0 },
        { "x", 0, BAD, 0, 0 },
        { "nr_file_pages 7\nnr_file_pages 7\n", 0, BAD, 0, 0 },
        { "nr_dirty 1\nx\nnr_dirty 2\n", 0, BAD, 0, 0 },
        { "nr_file_pages \n", 0, BAD, 0, 0 },
        { "nr_file_pages   \n", 0, BAD, 0, 0 },
        { "nr_file_pages -7\n", 0, BAD, 0, 0 },
        { "nr_file_pages +7\n", 0, BAD, 0, 0 },
        { "nr_file_pages 7 8\n", 0, BAD, 0, 0 },
        { "nr_file_pages 7 \n", 0, BAD, 0, 0 },
        { "nr_file_pages 7\r\n", 0, BAD, 0, 0 },
        { "nr_file_pages\t7\nnr_file_pages \t7\n", 0, BAD, 0, 0 },
        { "nr_file_pages 0x7\n", 0, BAD, 0, 0 },
        { "nr_file_pages 7.5\n", 0, BAD, 0, 0 },
        { "nr_file_pages 18446744073709551616\n", 0, BAD, 0, 0 },
        { "nr_file_pages 18446744073709551620\n", 0, BAD, 0, 0 },
        { "nr_file_pages 184467440737095516150\n", 0, BAD, 0, 0 },
        { BYTES("nr_file_pages 7\0\n"), BAD, 0, 0 },
        { BYTES("nr_file_pages \0007\n"), BAD, 0, 0 },
        { BYTES("nr_file_pages \0\n"), BAD, 0, 0 },
        { BYTES("nr_file_pages 7\n\0"), BAD, 0, 0 },
        { "nr_dirty 5\nnr_mlock x\n", 0, BAD, 0, 0 }, /* half good is bad */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row_of(&rows[i], TRUE);
}

static void test_meminfo_lines(void) {
    static const Row rows[] = {
        { "MemTotal:       24684096 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, 6171024 },
        { "MemTotal: 4 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, 1 },
        { "MemTotal: 7 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, 1 },
        { "MemTotal:8 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, 2 },
        { "MemTotal: 8\n", 0, 0, MN_COUNTER_MEM_TOTAL, 2 },
        { "SwapFree: 0 kB\n", 0, 0, MN_COUNTER_SWAP_FREE, 0 },
        { "MemFree: 18446744073709551615 kB\n", 0, 0, MN_COUNTER_MEM_FREE, 4611686018427387903 },
        { "HugePages_Total:       0\nMemFree: 8 kB\n", 0, 0, MN_COUNTER_MEM_FREE, 2 },
        { "SwapCached: 8 kB\n", 0, 0, MN_COUNTER_SWAP_TOTAL, -1 },
        { "MemTotalx: 8 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, -1 },
        { "MemTotal 8 kB\n", 0, 0, MN_COUNTER_MEM_TOTAL, -1 },
        { "MemAvail\nMemFree: 8 kB\n", 0, 0, MN_COUNTER_MEM_AVAILABLE, -1 },
        { "MemTotal: 0 kB\n", 0, BAD, 0, 0 },
        { "MemTotal: kB\n", 0, BAD, 0, 0 },
        { "MemTotal:\n", 0, BAD, 0, 0 },
        { "MemFree:\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 MB\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 KB\n", 0, BAD, 0, 0 },
        { "MemTotal: 8kB\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 kBx\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 kB \n", 0, BAD, 0, 0 },
        { "MemTotal: 8 k\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 kB\nMemTotal: 8 kB\n", 0, BAD, 0, 0 },
        { "MemTotal: -8 kB\n", 0, BAD, 0, 0 },
        { "MemTotal: 18446744073709551616 kB\n", 0, BAD, 0, 0 },
        { "MemTotal:18446744076197505330\n", 0, BAD, 0, 0 },
        { "MemTotal: 8 kB", 0, BAD, 0, 0 },
        { "", 0, BAD, 0, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row_of(&rows[i], FALSE);
}

/* Page cache is only there as a sum of three. */
static void test_what_meminfo_has_of_vmstat(void) {
    static const struct {
        const char *text;
        guint64 needed, known, pages;
    } rows[] = {
#define FILE_BIT MN_COUNTER_BIT(MN_COUNTER_FILE)
        { "Buffers: 40 kB\nCached: 400 kB\nSwapCached: 4000 kB\n", FILE_BIT, FILE_BIT, 1110 },
        { "Cached: 400 kB\n", FILE_BIT, FILE_BIT, 100 },
        { "Buffers: 40 kB\nSwapCached: 4 kB\n", FILE_BIT, 0, 0 },
        { "Cached: 400 kB\n", 0, 0, 7 }, /* not looked for: stays */
        { "Cached: 400 kB\nDirty:  x\n", MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL), 0, 7 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("MemTotal: 40 kB\n", rows[i].text, NULL);
        MnSample sample = { .counters = { [MN_COUNTER_FILE] = 7 } };
        gsize span;

        CHECK(mn_sample_parse_meminfo(text, strlen(text), rows[i].needed, 4, &sample, &span) == 0, "%s", text);
        CHECK(sample.known == (MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL) | rows[i].known), "%s", text);
        CHECK(sample.counters[MN_COUNTER_FILE] == rows[i].pages, "%s", text);
    }
}

/* The same meters as from both texts. */
static void test_meters_from_meminfo_alone(void) {
    g_autoptr(GPtrArray) machines = fixture_names("");

    for (guint i = 0; i < machines->len; i++) {
        const char *machine = g_ptr_array_index(machines, i);
        g_auto(Texts) texts = texts_of(machine);
        MnSample sample = { 0 };
        MnReading reading;
        gsize span;

        if (g_str_has_prefix(machine, "odd-") || g_str_has_prefix(machine, "like-lxcfs"))
            continue; /* numbers that contradict each other */
        CHECK(mn_sample_parse_meminfo(texts.meminfo, texts.meminfo_len, MN_COUNTERS_BOTH, PAGE_KIB, &sample, &span) ==
                  0,
              "%s", machine);
        CHECK((MN_COUNTERS_BOTH & ~sample.known) == 0, "%s", machine);
        mn_sample_bound_parts(&sample);
        mn_reading_from_sample(&sample, &reading);
        CHECK((gint64)reading.pages[MN_METER_USED] == expected_used_by_meminfo(&texts), "%s", machine);
        CHECK(reading.pages[MN_METER_ACTIVE] ==
                  (kib(&texts, "Active(anon):") + kib(&texts, "Active(file):")) / PAGE_KIB,
              "%s", machine);
        CHECK(reading.pages[MN_METER_ANON] == kib(&texts, "AnonPages:") / PAGE_KIB, "%s", machine);
        CHECK(reading.pages[MN_METER_DIRTY] == kib(&texts, "Dirty:") / PAGE_KIB, "%s", machine);
    }
}

static void test_the_counters_of_the_other_text_stay(void) {
    static const char vmstat[] = "nr_dirty 5\n", meminfo[] = "MemTotal: 40 kB\n";
    MnSample sample = { 0 };
    gsize span;

    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(vmstat, strlen(vmstat), 0, &sample, &span), 0);
    CU_ASSERT_EQUAL(mn_sample_parse_meminfo(meminfo, strlen(meminfo), 0, 4, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.known, MN_COUNTER_BIT(MN_COUNTER_DIRTY) | MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL));

    CU_ASSERT_EQUAL(mn_sample_parse_vmstat("x 1\n", 4, 0, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.known, MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL));
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_MEM_TOTAL], 10);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_DIRTY], 0);
}

/* As lxcfs and WSL have told of a machine of 8 GiB; wrapped round in bytes, in KiB, or only too much. */
static void test_a_part_is_no_larger_than_its_whole(void) {
    static const struct {
        const char *meminfo, *vmstat;
        MnCounter counter;
        guint64 pages;
    } rows[] = {
        { "SwapTotal: 0 kB\nSwapFree:18446744073709346016 kB\n", "x\n", MN_COUNTER_SWAP_FREE, 0 },
        { "SwapTotal: 400 kB\nSwapFree:18446744073709346016 kB\n", "x\n", MN_COUNTER_SWAP_FREE, 0 },
        { "SwapTotal: 400 kB\nSwapFree: 18014396678257232 kB\n", "x\n", MN_COUNTER_SWAP_FREE, 0 },
        { "SwapTotal: 400 kB\nSwapFree: 13992336164 kB\n", "x\n", MN_COUNTER_SWAP_FREE, 100 },
        { "SwapFree: 13992336164 kB\n", "x\n", MN_COUNTER_SWAP_FREE, 3498084041 }, /* of what is not known */
        { "MemFree: 8388612 kB\n", "x\n", MN_COUNTER_MEM_FREE, 2097152 },
        { "MemFree: 8388608 kB\n", "x\n", MN_COUNTER_MEM_FREE, 2097152 },
        { "MemAvailable: 18446744073709551612 kB\n", "x\n", MN_COUNTER_MEM_AVAILABLE, 0 },
        { "MemFree: 4 kB\n", "nr_free_pages 3000000\n", MN_COUNTER_VM_FREE, 2097152 },
        { "MemFree: 4 kB\n", "nr_file_pages 18446744073709551615\n", MN_COUNTER_FILE, 0 },
        { "MemFree: 4 kB\n", "nr_shmem 2097153\n", MN_COUNTER_SHMEM, 2097152 },
        { "MemFree: 4 kB\n", "pswpout 3000000\n", MN_COUNTER_SWAPPED_OUT, 3000000 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *meminfo = g_strconcat("MemTotal: 8388608 kB\n", rows[i].meminfo, NULL);
        MnSample sample = { 0 };
        gsize span;

        CHECK(mn_sample_parse_meminfo(meminfo, strlen(meminfo), 0, 4, &sample, &span) == 0, "row %u", i);
        CHECK(mn_sample_parse_vmstat(rows[i].vmstat, strlen(rows[i].vmstat), 0, &sample, &span) == 0, "row %u", i);
        mn_sample_bound_parts(&sample);
        CHECK(sample.counters[rows[i].counter] == rows[i].pages, "row %u", i);
    }
}

static void test_larger_pages(void) {
    static const char meminfo[] = "MemTotal: 1000 kB\nMemFree: 63 kB\n";
    MnSample sample = { 0 };
    gsize span;

    CU_ASSERT_EQUAL(mn_sample_parse_meminfo(meminfo, strlen(meminfo), 0, 64, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_MEM_TOTAL], 15);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_MEM_FREE], 0);
}

/* Both texts in units of the machine's own pages: each of the dozen terms is rounded to 64 KiB. */
static void test_a_machine_with_larger_pages(void) {
    g_auto(Texts) texts = texts_of("like-64k-pages");
    MnSample sample = { 0 };
    MnReading reading;
    gsize span;
    gint64 difference;

    CU_ASSERT_EQUAL_FATAL(mn_sample_parse_vmstat(texts.vmstat, texts.vmstat_len, 0, &sample, &span), 0);
    CU_ASSERT_EQUAL_FATAL(mn_sample_parse_meminfo(texts.meminfo, texts.meminfo_len, 0, 64, &sample, &span), 0);
    mn_reading_from_sample(&sample, &reading);
    difference = (gint64)reading.pages[MN_METER_USED] - expected_used_by_meminfo(&texts) * PAGE_KIB / 64;
    CHECK(ABS(difference) <= 12, "%" G_GINT64_FORMAT " pages", difference);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_TOTAL], kib(&texts, "MemTotal:") / 64);
}

static void test_what_is_needed_must_be_there(void) {
    static const char vmstat[] = "nr_dirty 5\nnr_mlock 6\n";
    static const struct {
        guint64 needed;
        int expected;
    } rows[] = {
        { 0, 0 },
        { MN_COUNTER_BIT(MN_COUNTER_DIRTY), 0 },
        { MN_COUNTER_BIT(MN_COUNTER_DIRTY) | MN_COUNTER_BIT(MN_COUNTER_MLOCKED), 0 },
        { MN_COUNTER_BIT(MN_COUNTER_DIRTY) | MN_COUNTER_BIT(MN_COUNTER_FILE), BAD },
        { MN_COUNTER_BIT(MN_COUNTER_VM_FREE), BAD },
        { MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL), 0 }, /* of another text */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnSample sample = { 0 };
        gsize span;

        CHECK(mn_sample_parse_vmstat(vmstat, strlen(vmstat), rows[i].needed, &sample, &span) == rows[i].expected,
              "needed %" G_GINT64_MODIFIER "x", rows[i].needed);
    }
}

/* A cut text is good only when it ends with a line, after all that is needed. */
static void check_cuts(const char *machine, const char *text, gsize len, gboolean is_vmstat) {
    guint64 needed = known_of(machine) & (is_vmstat ? MN_COUNTERS_VMSTAT : MN_COUNTERS_MEMINFO);
    MnSample sample = { 0 };
    gsize whole_span = 0;
    guint n_good = 0;

    for (gsize cut = len + 1; cut-- > 0;) {
        g_autofree char *copy = memcpy(g_malloc(MAX(cut, 1)), text, cut);
        gboolean is_good = cut > 0 && text[cut - 1] == '\n' && (cut == len || cut >= whole_span);
        gsize span;
        int r;

        r = is_vmstat ? mn_sample_parse_vmstat(copy, cut, needed, &sample, &span)
                      : mn_sample_parse_meminfo(copy, cut, needed, PAGE_KIB, &sample, &span);
        if (cut == len)
            whole_span = span;
        CHECK(r == (is_good ? 0 : BAD), "%s: the first %zu bytes", machine, cut);
        CHECK(r < 0 || span == whole_span, "%s: the first %zu bytes", machine, cut);
        n_good += is_good;
    }
    CHECK(n_good > 1 && whole_span > 0 && whole_span < len, "%s", machine);
}

static void test_cut_texts(void) {
    g_auto(Texts) texts = texts_of("debian-6.1-zram");

    check_cuts("debian-6.1-zram", texts.vmstat, texts.vmstat_len, TRUE);
    check_cuts("debian-6.1-zram", texts.meminfo, texts.meminfo_len, FALSE);
}

static void test_texts_of_2_mb(void) {
    gsize len = 2 << 20, span;
    g_autofree char *text = g_malloc(len);
    MnSample sample = { 0 };

    memset(text, 'x', len);
    text[len - 1] = '\n';
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, len, MN_COUNTERS_VMSTAT, &sample, &span), BAD);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, len, NOTHING_NEEDED, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.known, 0);

    memset(text, '\n', len);
    CU_ASSERT_EQUAL(mn_sample_parse_meminfo(text, len, MN_COUNTERS_MEMINFO, 4, &sample, &span), BAD);

    memset(text, '7', len);
    memcpy(text, "nr_file_pages ", 14);
    text[len - 1] = '\n';
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, len, NOTHING_NEEDED, &sample, &span), BAD);
    memset(text + 14, '0', len - 15);
    CU_ASSERT_EQUAL(mn_sample_parse_vmstat(text, len, NOTHING_NEEDED, &sample, &span), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_FILE], 0);
}

static CU_TestInfo tests[] = {
    { "the meters of all machines follow the formulas", test_meters_of_all_machines },
    { "the meters of this kernel do", test_meters_of_this_kernel },
    { "used agrees with meminfo alone", test_used_agrees_with_meminfo_alone },
    { "used of this kernel is exact to the page", test_used_of_this_kernel_is_exact },
    { "a bad vmstat is refused and changes nothing", test_bad_vmstat },
    { "a bad meminfo is refused and changes nothing", test_bad_meminfo },
    { "lines of vmstat", test_vmstat_lines },
    { "lines of meminfo", test_meminfo_lines },
    { "what meminfo has of vmstat", test_what_meminfo_has_of_vmstat },
    { "meters from meminfo alone", test_meters_from_meminfo_alone },
    { "the counters of the other text stay", test_the_counters_of_the_other_text_stay },
    { "a part is no larger than its whole", test_a_part_is_no_larger_than_its_whole },
    { "larger pages", test_larger_pages },
    { "a machine with larger pages", test_a_machine_with_larger_pages },
    { "what is needed must be there", test_what_is_needed_must_be_there },
    { "a text cut anywhere", test_cut_texts },
    { "texts of 2 MB", test_texts_of_2_mb },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "sample", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
