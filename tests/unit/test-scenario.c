/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scenario makes up is a machine like any: what its texts say goes together, whatever is asked for. */
#include "core/arcstats.h"
#include "core/meter.h"
#include "core/stall.h"
#include "core/zone.h"
#include "runner.h"
#include "script/kind.h"
#include "script/scenariomachine.h"

#include <string.h>

#define MIB_PAGES 256
#define N_RANDOM 300

static MnScript *open_text(const char *text) {
    g_autoptr(GError) error = NULL;
    MnScript *script = NULL;

    if (!mn_scenario_open(text, strlen(text), "x", &script, &error))
        CHECK(FALSE, "%s: %s", text, error->message);
    return script;
}

static gboolean is_refused(const char *text) {
    g_autoptr(GError) error = NULL;
    MnScript *script = NULL;

    if (mn_scenario_open(text, strlen(text), "x", &script, &error)) {
        mn_script_free(script);
        return FALSE;
    }
    return TRUE;
}

static gboolean sample_of(const MnScript *script, MnSample *ret) {
    const MnScriptText *meminfo = mn_script_find(script, "meminfo"), *vmstat = mn_script_find(script, "vmstat");
    gsize span;

    *ret = (MnSample){ 0 };
    return mn_sample_parse_meminfo(meminfo->text, meminfo->len, MN_COUNTER_BIT(MN_COUNTER_MEM_TOTAL), 4, ret, &span) ==
               0 &&
           mn_sample_parse_vmstat(vmstat->text, vmstat->len, MN_COUNTERS_VMSTAT & ~MN_COUNTER_BIT(MN_COUNTER_RECLAIMED),
                                  ret, &span) == 0;
}

static guint64 sum_of_free(const MnZones *zones) {
    guint64 sum = 0;

    for (guint i = 0; i < zones->n; i++)
        sum += zones->zones[i].free;
    return sum;
}

/* A number of meminfo, in KiB: what no meter shows may be wrong as well. */
static guint64 meminfo_number(const MnScript *script, const char *key) {
    const char *line = strstr(mn_script_find(script, "meminfo")->text, key);

    return line ? g_ascii_strtoull(line + strlen(key), NULL, 10) : 0;
}

/* Of one moment; `what` is for who reads the failure. */
static void check_moment(const MnScript *script, MnSample *before, const char *what) {
    const MnScriptText *zoneinfo = mn_script_find(script, "zoneinfo");
    const MnScriptText *pressure = mn_script_find(script, "pressure/memory");
    g_auto(MnZones) zones = { 0 };
    MnSample sample;
    MnStalls stalls;
    const guint64 *c = sample.counters;
    guint64 parts;

    CHECK(sample_of(script, &sample), "%s", what);
    parts = c[MN_COUNTER_MEM_FREE] + c[MN_COUNTER_ANON] + c[MN_COUNTER_FILE] + c[MN_COUNTER_SLAB_RECLAIMABLE];
    CHECK(parts <= c[MN_COUNTER_MEM_TOTAL], "%s: parts", what);
    CHECK(c[MN_COUNTER_MEM_AVAILABLE] <= c[MN_COUNTER_MEM_TOTAL], "%s: available", what);
    CHECK(c[MN_COUNTER_SWAP_FREE] <= c[MN_COUNTER_SWAP_TOTAL], "%s: swap", what);
    CHECK(meminfo_number(script, "\nActive:") + meminfo_number(script, "\nInactive:") +
                  meminfo_number(script, "\nUnevictable:") <=
              meminfo_number(script, "MemTotal:"),
          "%s: lists", what);
    CHECK(c[MN_COUNTER_MLOCKED] <= c[MN_COUNTER_ANON], "%s: mlocked", what);
    CHECK(c[MN_COUNTER_VM_FREE] == c[MN_COUNTER_MEM_FREE], "%s: free", what);
    CHECK(c[MN_COUNTER_DIRTY] <= c[MN_COUNTER_FILE] && c[MN_COUNTER_SHMEM] <= c[MN_COUNTER_FILE], "%s: file", what);
    CHECK(c[MN_COUNTER_RECLAIMED_KSWAPD] <= c[MN_COUNTER_SCANNED_KSWAPD], "%s: reclaim", what);
    for (guint i = MN_COUNTER_SWAPPED_OUT; i < MN_COUNTER_MEM_TOTAL; i++)
        CHECK(c[i] >= before->counters[i], "%s: counter %u goes back", what, i);
    CHECK(mn_zones_parse(&zones, zoneinfo->text, zoneinfo->len) == 0, "%s: zones", what);
    CHECK(sum_of_free(&zones) <= c[MN_COUNTER_MEM_FREE], "%s: free of zones", what);
    CHECK(mn_stalls_parse(pressure->text, pressure->len, &stalls) == 0, "%s: stalls", what);
    *before = sample;
}

static guint check_all(const char *text) {
    g_autoptr(MnScript) script = open_text(text);
    MnSample before = { 0 };
    gint64 last_us = -1, next_us;
    guint n = 0;

    while (script && mn_script_peek(script, &next_us)) {
        CHECK(next_us > last_us, "%s: %u", text, n);
        CHECK(mn_script_next(script) == 0 && mn_script_get_time_us(script) == next_us, "%s: %u", text, n);
        check_moment(script, &before, text);
        last_us = next_us;
        n++;
    }
    return n;
}

static void append_random(GString *text, GRand *random) {
    static const char *const words[] = { "available", "used",      "anon",  "file",   "shmem",
                                         "free",      "swap_used", "dirty", "mlocked" };

    if (g_rand_boolean(random))
        g_string_append_printf(text, " over %dms", g_rand_int_range(random, 0, 3000));
    else
        g_string_append_printf(text, " wait %dms", g_rand_int_range(random, 0, 3000));
    g_string_append_printf(text, " %s %d%%\n", words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))],
                           g_rand_int_range(random, 1, 40));
}

/* Most of it is possible. */
static void test_whatever_is_asked_for(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    guint n_played = 0;

    for (guint i = 0; i < N_RANDOM; i++) {
        g_autoptr(GString) text = g_string_new("memory 2G swap 1G noise 1% node 1 1G");

        if (i % 2)
            g_string_assign(text, "memory 64M");
        for (guint j = 0; j < 4; j++)
            append_random(text, random);
        if (is_refused(text->str))
            continue;
        n_played++;
        check_all(text->str);
    }
    CHECK(n_played > N_RANDOM / 10, "%u", n_played);
}

static guint64 meter_at(const char *text, gint64 time_us, MnMeterId meter) {
    g_autoptr(MnScript) script = open_text(text);
    MnReading reading;
    MnSample sample;
    gint64 next_us;

    while (mn_script_peek(script, &next_us) && next_us <= time_us)
        CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT(sample_of(script, &sample));
    mn_reading_from_sample(&sample, &reading);
    return reading.pages[meter];
}

static gboolean is_near(guint64 pages, guint64 expected) {
    return pages + 1 >= expected && pages <= expected + 1;
}

static void test_values(void) {
    static const char text[] =
        "memory 1G available 50% at 2s available 40% over 4s available 20% over 0s free 2% wait 1s";
    guint64 total = 1024 * MIB_PAGES;

    CU_ASSERT(is_near(meter_at(text, 0, MN_METER_AVAILABLE), total / 2));
    CU_ASSERT(is_near(meter_at(text, 1999999, MN_METER_AVAILABLE), total / 2));
    CU_ASSERT(is_near(meter_at(text, 2000000, MN_METER_AVAILABLE), total * 4 / 10));
    CU_ASSERT(is_near(meter_at(text, 4000000, MN_METER_AVAILABLE), total * 3 / 10));
    CU_ASSERT(is_near(meter_at(text, 5999999, MN_METER_AVAILABLE), total * 205 / 1000));
    CU_ASSERT(is_near(meter_at(text, 6000000, MN_METER_FREE), total * 2 / 100));
    CU_ASSERT(is_near(meter_at(text, 6000000, MN_METER_AVAILABLE), total * 2 / 10) ||
              meter_at(text, 6000000, MN_METER_AVAILABLE) < total * 2 / 10);
    CU_ASSERT_EQUAL(meter_at("memory 1G swap 1G used 70%", 0, MN_METER_TOTAL), 2 * total);
    CU_ASSERT(is_near(meter_at("memory 1G swap 1G swap_used 10M", 0, MN_METER_SWAP_USED), 10 * MIB_PAGES));
}

/* Also where the whole moves that per cent are taken of. */
static void test_ends_of_ramps(void) {
    guint64 gib = 1024 * MIB_PAGES;

    CU_ASSERT_EQUAL(meter_at("memory 8G wait 1s over 10s memory 50%", 11000000, MN_METER_TOTAL), 4 * gib);
    CU_ASSERT_EQUAL(meter_at("memory 4G swap 2G over 4s swap 50%", 4000000, MN_METER_SWAP_TOTAL), 3 * gib);
    CU_ASSERT_EQUAL(meter_at("memory 4G swap 2G over 4s swap 50%", 2000000, MN_METER_SWAP_TOTAL), 5 * gib / 2);
    CU_ASSERT(is_near(meter_at("memory 1G arc 100M over 2s arc 300M", 2000000, MN_METER_TOTAL), gib));
}

/* It may be possible once and not again. */
static void test_impossible_in_a_later_turn(void) {
    g_autoptr(MnScript) script =
        open_text("memory 4G file 10% wait 1s repeat 2 { anon 60% wait 1s shmem 30% wait 1s anon 5% "
                  "wait 1s shmem 80% wait 1s }");
    gint64 next_us;

    while (mn_script_peek(script, &next_us))
        CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_EQUAL(mn_script_get_time_us(script), 5 * G_TIME_SPAN_SECOND);
    CU_ASSERT(g_str_has_prefix(mn_script_get_fault(script), "x:1:39: "));
}

/* Out of memory that is full: first page cache, then swap. */
static void test_what_gives_way(void) {
    CU_ASSERT_EQUAL(meter_at("memory 1G swap 1G used 40%", 0, MN_METER_SWAP_USED), 0);
    CU_ASSERT(meter_at("memory 1G swap 1G used 40%", 0, MN_METER_FILE) > 90 * MIB_PAGES);
    CU_ASSERT(meter_at("memory 1G swap 1G used 80%", 0, MN_METER_FILE) < 10 * MIB_PAGES);
    CU_ASSERT(meter_at("memory 1G swap 1G used 80%", 0, MN_METER_SWAP_USED) > 500 * MIB_PAGES);
}

/* Two that are opened one after the other, and all of their bytes. */
static void test_the_same_each_time(void) {
    static const char text[] =
        "memory 1G swap 1G noise 2% seed 7 repeat 3 { over 2s used 60% stall_some 30% over 1s used 20% }";
    g_autoptr(MnScript) one = open_text(text), other = open_text(text);
    guint n = 0;
    gint64 next_us;

    for (; mn_script_peek(one, &next_us); n++) {
        CU_ASSERT_EQUAL(mn_script_next(one), 0);
        CU_ASSERT_EQUAL(mn_script_next(other), 0);
        for (guint i = 0; i < mn_script_get_n_texts(one); i++)
            CHECK(strcmp(mn_script_get_text(one, i)->text, mn_script_get_text(other, i)->text) == 0, "moment %u", n);
    }
    CU_ASSERT(n > 90);
    CU_ASSERT_EQUAL(next_us > 0 ? mn_script_get_time_us(one) : 0, 9 * G_TIME_SPAN_SECOND);
}

static guint64 total_stall(const char *text) {
    g_autoptr(MnScript) script = open_text(text);
    MnStalls stalls = { 0 };
    gint64 next_us;

    while (mn_script_peek(script, &next_us))
        CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_EQUAL(mn_stalls_parse(mn_script_find(script, "pressure/memory")->text,
                                    mn_script_find(script, "pressure/memory")->len, &stalls),
                    0);
    return stalls.lines[MN_STALL_SOME].total_us;
}

static void test_stalls(void) {
    CU_ASSERT_EQUAL(total_stall("wait 10s"), 0);
    CU_ASSERT_EQUAL(total_stall("stall_some 20% wait 10s"), 2 * G_TIME_SPAN_SECOND);
    CU_ASSERT_EQUAL(total_stall("wait 5s stall_some 20% wait 10s stall_some 0% wait 100s"), 2 * G_TIME_SPAN_SECOND);
}

static void test_repetition(void) {
    static const struct {
        const char *text;
        gint64 seconds;
    } rows[] = {
        { "repeat 0 { wait 5s } wait 1s", 1 },
        { "repeat 3 { wait 5s }", 15 },
        { "wait 2s repeat 2 { at 1s at 3s repeat 2 { at 2s } } at 20s", 20 },
        { "repeat 2 { repeat 3 { over 1s free 50% over 1s free 40% } wait 1s }", 14 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(MnScript) script = open_text(rows[i].text);
        gint64 next_us;

        while (mn_script_peek(script, &next_us))
            CU_ASSERT_EQUAL(mn_script_next(script), 0);
        CHECK(mn_script_get_time_us(script) == rows[i].seconds * G_TIME_SPAN_SECOND, "%s: %" G_GINT64_FORMAT,
              rows[i].text, mn_script_get_time_us(script));
    }
}

static void test_refused(void) {
    static const char *const rows[] = {
        "memory",
        "memory 1",
        "memory 5%",
        "memory 20T",
        "swap x",
        "node 2 1G",
        "node 1 9G",
        "group 1G group 1G",
        "group 1G arc 1G",
        "group 1G memory 2G limit 0",
        "arc",
        "available",
        "available 200%",
        "available 9G",
        "active 1G",
        "swap_free 1G",
        "swap_used 1G",
        "limit 1G",
        "at",
        "at soon",
        "at 2s at 1s",
        "over 1s",
        "over 1s wait 1s",
        "every 0",
        "every 1us",
        "noise",
        "noise 1% seed x",
        "stall_some 1G",
        "stall_full 0.5%",
        "pressure",
        "pressure high",
        "repeat 2 { }",
        "repeat 2",
        "repeat { wait 1s }",
        "repeat 9999999 { wait 1s }",
        "repeat 1000000 { wait 1d }",
        "}",
        "wait 1s }",
        "wait 9999999d",
        "node 1 free 1G",
        "node 0 free 9G",
        "mlocked 99%",
        "dirty 99%",
        "memory 4G available 5% noise 1% file 3G",
        "# \xff",
        "wait 1s # \xe4\n",
        "Free 1G",
        "free=",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(is_refused(rows[i]), "%s", rows[i]);
}

static void test_accepted(void) {
    static const char *const rows[] = { "memory 4G anon 1G mlocked 900M wait 1s",
                                        "memory 4G anon 50% noise 1% mlocked 1G wait 1s",
                                        "anon 101M mlocked 60M wait 1s noise 80M seed 3 wait 5s",
                                        "",
                                        "# nothing\n",
                                        "memory 16M",
                                        "memory=1G,swap:1G",
                                        "wait 0",
                                        "node 1 1G node 2 1G node 1 free 0",
                                        "oom pressure low pressure critical" };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(check_all(rows[i]) > 0, "%s", rows[i]);
}

static CU_TestInfo tests[] = {
    { "whatever is asked for", test_whatever_is_asked_for },
    { "values", test_values },
    { "ends of ramps", test_ends_of_ramps },
    { "impossible in a later turn", test_impossible_in_a_later_turn },
    { "what gives way", test_what_gives_way },
    { "the same each time", test_the_same_each_time },
    { "stalls", test_stalls },
    { "repetition", test_repetition },
    { "what is refused", test_refused },
    { "what is accepted", test_accepted },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "scenario", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
