/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/zoneinfo -> MnZones: of this kernel, of the machines below tests/fixtures, and hostile ones. */
#include "allocations.h"
#include "core/zone.h"
#include "fixture.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define MOST G_MAXUINT64
#define HEAD "Node 0, zone   Normal\n"
#define BODY "  pages free 9\n min 1\n low 2\n high 3\n present 100\n protection: (0, 7)\n"

static int parse(MnZones *zones, const char *text) {
    return mn_zones_parse(zones, text, strlen(text));
}

static const MnZone *find(const MnZones *zones, guint node, const char *name) {
    for (guint i = 0; i < zones->n; i++)
        if (mn_zone_is_same(&zones->zones[i], node, name))
            return &zones->zones[i];
    return NULL;
}

/* How often `word` stands in a text. */
static guint count(const char *text, gsize len, const char *word) {
    guint n = 0;

    for (const char *at = text; (at = memmem(at, text + len - at, word, strlen(word))); at++)
        n++;
    return n;
}

static void test_good_machines(void) {
    g_autoptr(GPtrArray) names = fixture_names("");

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_auto(MnZones) zones = { 0 };
        gsize len;
        g_autofree char *text = fixture_read(name, "zoneinfo", &len);
        guint with_line = 0;

        CHECK(mn_zones_parse(&zones, text, len) == 0, "%s", name);
        CHECK(zones.n == count(text, len, ", zone "), "%s: %u zones", name, zones.n);
        for (guint j = 0; j < zones.n; j++) {
            gsize end = zones.zones[j].end_of_start_pfn;

            CHECK(end <= len && (end == 0 || text[end - 1] == '\n'), "%s: zone %u", name, j);
            with_line += end > 0;
        }
        CHECK(with_line == count(text, len, "start_pfn:"), "%s: %u lines", name, with_line);
    }
}

static void test_values(void) {
    g_auto(MnZones) zones = { 0 };
    gsize len;
    g_autofree char *text = fixture_read("numa2-6.1", "zoneinfo", &len);
    const MnZone *zone, *empty;

    CU_ASSERT_EQUAL_FATAL(mn_zones_parse(&zones, text, len), 0);
    zone = find(&zones, 0, "DMA");
    CU_ASSERT_PTR_NOT_NULL_FATAL(zone);
    CU_ASSERT_EQUAL(zone->free, 220);
    CU_ASSERT_EQUAL(zone->min, 22);
    CU_ASSERT_EQUAL(zone->low, 27);
    CU_ASSERT_EQUAL(zone->high, 32);
    CU_ASSERT_EQUAL(zone->present, 3998);
    CU_ASSERT_EQUAL(zone->own_reserve, 0);
    CU_ASSERT_EQUAL(zone->upper_reserve, 195);
    CU_ASSERT_EQUAL(zone->node_present, 3998 + find(&zones, 0, "DMA32")->present);
    CU_ASSERT_TRUE(find(&zones, 1, "DMA32")->node_present == find(&zones, 1, "DMA32")->present);

    empty = find(&zones, 1, "DMA");
    CU_ASSERT_PTR_NOT_NULL_FATAL(empty);
    CU_ASSERT_FALSE(mn_zone_is_populated(empty));
    CU_ASSERT_FALSE(mn_zone_is_below(empty, MN_WATERMARK_LOW));
}

/* Before 3.9 the kernel did not say what is managed. */
static void test_managed(void) {
    g_auto(MnZones) zones = { 0 };

    CU_ASSERT_EQUAL_FATAL(parse(&zones, HEAD BODY "managed 0\n"
                                                  "Node 0, zone DMA\n" BODY "managed 40\n"
                                                  "Node 0, zone DMA32\n" BODY),
                          0);
    CU_ASSERT_FALSE(mn_zone_is_populated(&zones.zones[0]));
    CU_ASSERT_TRUE(mn_zone_is_populated(&zones.zones[1]));
    CU_ASSERT_EQUAL(zones.zones[1].managed, 40);
    CU_ASSERT_EQUAL(zones.zones[1].present, 100);
    CU_ASSERT_EQUAL(zones.zones[2].managed, 100);
    CU_ASSERT_EQUAL(zones.zones[2].node_present, 300);
}

static void test_boost(void) {
    g_auto(MnZones) zones = { 0 };

    CU_ASSERT_EQUAL_FATAL(parse(&zones, "Node 0, zone DMA\npages free 204\nboost 512\nmin 546\nlow 554\n"
                                        "high 562\npresent 3998\nprotection: (0, 182)\n"),
                          0);
    CU_ASSERT_EQUAL(zones.zones[0].min, 34);
    CU_ASSERT_EQUAL(zones.zones[0].low, 42);
    CU_ASSERT_EQUAL(zones.zones[0].high, 50);
    CU_ASSERT_FALSE(mn_zone_is_below(&zones.zones[0], MN_WATERMARK_LOW));

    CU_ASSERT_EQUAL_FATAL(parse(&zones, "Node 0, zone DMA\npages free 1\nboost 512\nmin 1\nlow 2\nhigh 3\n"
                                        "present 3998\nprotection: (0)\n"),
                          0);
    CU_ASSERT_EQUAL(zones.zones[0].high, 0);
}

/* Zones without memory, and one of which little is plugged in. */
static void test_other_machines(void) {
    static const struct {
        const char *machine, *zone;
        guint node;
        gboolean is_populated;
        guint64 managed;
    } rows[] = {
        { "like-cxl", "Normal", 1, FALSE, 0 },      { "like-cxl", "Movable", 2, TRUE, 65536 },
        { "like-cxl", "DMA32", 0, TRUE, 50499 },    { "like-virtio-mem", "Movable", 0, TRUE, 4096 },
        { "like-s390x", "Normal", 0, TRUE, 50499 }, { "like-64k-pages", "DMA32", 0, TRUE, 3156 },
        { "ancient-2.6.32", "DMA", 0, TRUE, 0 }, /* as many as are present */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(MnZones) zones = { 0 };
        gsize len;
        g_autofree char *text = fixture_read(rows[i].machine, "zoneinfo", &len);
        const MnZone *zone;

        CU_ASSERT_EQUAL_FATAL(mn_zones_parse(&zones, text, len), 0);
        zone = find(&zones, rows[i].node, rows[i].zone);
        CU_ASSERT_PTR_NOT_NULL_FATAL(zone);
        CHECK(mn_zone_is_populated(zone) == rows[i].is_populated, "%s", rows[i].machine);
        CHECK(zone->managed == (g_str_has_prefix(rows[i].machine, "ancient") ? zone->present : rows[i].managed), "%s",
              rows[i].machine);
        CHECK(mn_zones_distance(&zones, MN_WATERMARK_LOW) > 0, "%s", rows[i].machine);
    }
}

static void test_bad_machines(void) {
    g_autoptr(GPtrArray) names = fixture_names("bad-zoneinfo");

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_auto(MnZones) zones = { 0 };
        gsize len;
        g_autofree char *text = fixture_read(name, "zoneinfo", &len);

        CHECK(mn_zones_parse(&zones, text, len) == -EBADMSG, "%s", name);
        CHECK(zones.n == 0, "%s", name);
    }
}

static void test_texts(void) {
    static const struct {
        const char *name, *text;
        int expected;
    } rows[] = {
        { "the least", HEAD BODY, 0 },
        { "no pages, nothing else", HEAD "present 0\n", 0 },
        { "all present, nothing managed", HEAD "present 3998\nmanaged 0\n", 0 },
        { "managed twice", HEAD BODY "managed 1\nmanaged 1\n", -EBADMSG },
        { "no present", HEAD "pages free 9\nmin 1\nlow 2\nhigh 3\nprotection: (0)\n", -EBADMSG },
        { "a heading alone", HEAD, -EBADMSG },
        { "no newline", "Node 0, zone Normal\npresent 0", -EBADMSG },
        { "two zones", HEAD BODY "Node 0, zone DMA\n" BODY, 0 },
        { "the same zone of another node", HEAD BODY "Node 1, zone Normal\n" BODY, 0 },
        { "the same zone again, not next to it", HEAD BODY "Node 1, zone Normal\n" BODY HEAD BODY, -EBADMSG },
        { "a first zone that is incomplete",
          HEAD "present 1\n"
               "Node 0, zone DMA\n" BODY,
          -EBADMSG },
        { "a value twice", HEAD BODY "low 2\n", -EBADMSG },
        { "protection twice", HEAD BODY "protection: (0)\n", -EBADMSG },
        { "one protection", HEAD "pages free 9\nmin 1\nlow 2\nhigh 3\npresent 1\nprotection: (5)\n", 0 },
        { "no protection", HEAD "pages free 9\nmin 1\nlow 2\nhigh 3\npresent 1\nprotection: ()\n", -EBADMSG },
        { "a letter in it", HEAD "pages free 9\nmin 1\nlow 2\nhigh 3\npresent 1\nprotection: (0, x)\n", -EBADMSG },
        { "words behind it", HEAD "pages free 9\nmin 1\nlow 2\nhigh 3\npresent 1\nprotection: (0) 1\n", -EBADMSG },
        { "a negative number", HEAD "present -1\n", -EBADMSG },
        { "two numbers", HEAD "present 0 0\n", -EBADMSG },
        { "2^64", HEAD "present 18446744073709551616\n", -EBADMSG },
        { "longer words than ours", HEAD BODY "high_min: x\nlow: x\npresently x\n", 0 },
        { "a node of 2^32", "Node 4294967296, zone Normal\n" BODY, -EBADMSG },
        { "no zone word", "Node 0 zone Normal\n" BODY, -EBADMSG },
        { "no zone name", "Node 0, zone \n" BODY, -EBADMSG },
        { "a name of 15", "Node 0, zone ABCDEFGHIJKLMNO\n" BODY, 0 },
        { "a name of 16", "Node 0, zone ABCDEFGHIJKLMNOP\n" BODY, -EBADMSG },
        { "an indented heading", " " HEAD BODY, -EBADMSG },
        { "empty lines", HEAD "\n" BODY "\n\n", 0 },
        { "nothing but a newline", "\n", -EBADMSG },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(MnZones) zones = { 0 };
        int r = parse(&zones, rows[i].text);

        CHECK(r == rows[i].expected, "%s: %d", rows[i].name, r);
        CHECK((zones.n > 0) == (r == 0), "%s: %u zones", rows[i].name, zones.n);
    }
}

static void test_too_many_zones(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(MnZones) zones = { 0 };

    for (guint i = 0; i < MN_ZONES_MAX; i++)
        g_string_append_printf(text, "Node %u, zone Normal\npresent 0\n", i);
    CU_ASSERT_EQUAL(mn_zones_parse(&zones, text->str, text->len), 0);
    CU_ASSERT_EQUAL(zones.n, MN_ZONES_MAX);

    g_string_append_printf(text, "Node %d, zone Normal\npresent 0\n", MN_ZONES_MAX);
    CU_ASSERT_EQUAL(mn_zones_parse(&zones, text->str, text->len), -EBADMSG);
}

static void test_watermarks(void) {
    static const struct {
        const char *name;
        MnZone zone;
        gboolean below_low, below_min;
    } rows[] = {
        { "plenty", { .present = 9999, .managed = 9999, .free = 500, .min = 10, .low = 20 }, FALSE, FALSE },
        { "one above low", { .present = 9999, .managed = 9999, .free = 21, .min = 10, .low = 20 }, FALSE, FALSE },
        { "at low", { .present = 9999, .managed = 9999, .free = 20, .min = 10, .low = 20 }, TRUE, FALSE },
        { "at min", { .present = 9999, .managed = 9999, .free = 10, .min = 10, .low = 20 }, TRUE, TRUE },
        { "the reserve against higher zones does not count",
          { .present = 3998, .managed = 3998, .free = 3840, .min = 24, .low = 30, .upper_reserve = 10315 },
          FALSE,
          FALSE },
        { "its own would",
          { .present = 9999, .managed = 9999, .free = 25, .min = 10, .low = 20, .own_reserve = 5 },
          TRUE,
          FALSE },
        { "no pages at all", { .free = 0, .min = 32, .low = 32 }, FALSE, FALSE },
        { "none that can be allocated", { .present = 3998 }, FALSE, FALSE },
        { "watermarks of 0", { .present = 9999, .managed = 9999, .free = 1 }, FALSE, FALSE },
        { "and nothing free", { .present = 9999, .managed = 9999, .free = 0 }, TRUE, TRUE },
        { "numbers near 2^64",
          { .present = MOST, .managed = MOST, .free = MOST, .min = MOST - 1, .low = MOST, .own_reserve = MOST },
          TRUE,
          TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(mn_zone_is_below(&rows[i].zone, MN_WATERMARK_LOW) == rows[i].below_low, "%s: low", rows[i].name);
        CHECK(mn_zone_is_below(&rows[i].zone, MN_WATERMARK_MIN) == rows[i].below_min, "%s: min", rows[i].name);
    }
}

static void test_distance(void) {
    MnZone zones_of[] = {
        { .present = 3998, .managed = 3998, .free = 200, .min = 24, .low = 30, .upper_reserve = 10315 },
        { .present = 9999, .managed = 9999, .free = 500, .min = 100, .low = 120 },
        { .present = 0, .managed = 0, .free = 0 },
    };
    MnZones zones = { .zones = zones_of, .n = G_N_ELEMENTS(zones_of) };

    CU_ASSERT_EQUAL(mn_zones_distance(&zones, MN_WATERMARK_LOW), 380);
    CU_ASSERT_EQUAL(mn_zones_distance(&zones, MN_WATERMARK_MIN), 400);
    zones_of[0].free = 30; /* protected, but there */
    CU_ASSERT_EQUAL(mn_zones_distance(&zones, MN_WATERMARK_LOW), 0);
    zones_of[0].free = 31;
    zones_of[1].managed = 0;
    CU_ASSERT_EQUAL(mn_zones_distance(&zones, MN_WATERMARK_LOW), MOST);
}

/* What is found in another text of the same length allocates nothing. */
static void test_no_allocation(void) {
    g_auto(MnZones) zones = { 0 };
    gsize len, later_len;
    g_autofree char *text = fixture_read("numa2-6.1", "zoneinfo", &len);
    g_autofree char *later = fixture_read("odd-node1-gone", "zoneinfo", &later_len);
    guint64 before;

    CU_ASSERT_EQUAL(mn_zones_parse(&zones, text, len), 0);
    before = allocations();
    CU_ASSERT_EQUAL(mn_zones_parse(&zones, later, later_len), 0);
    CU_ASSERT_PTR_NULL(find(&zones, 1, "DMA32"));
    CU_ASSERT_EQUAL(mn_zones_parse(&zones, text, len), 0);
    CU_ASSERT_PTR_NOT_NULL(find(&zones, 1, "DMA32"));
    CU_ASSERT_EQUAL(allocations(), before);
}

static void test_this_kernel(void) {
    g_auto(MnZones) zones = { 0 };
    g_autofree char *text = NULL;
    gsize len;

    if (!g_file_get_contents("/proc/zoneinfo", &text, &len, NULL))
        g_error("cannot read /proc/zoneinfo");
    CU_ASSERT_EQUAL(mn_zones_parse(&zones, text, len), 0);
    CU_ASSERT_EQUAL(zones.n, count(text, len, ", zone "));
}

static gboolean has_same_numbers(const MnZone *one, const MnZone *other) {
    return mn_zone_is_same(one, other->node, other->name) && one->free == other->free && one->min == other->min &&
           one->low == other->low && one->high == other->high && one->boost == other->boost &&
           one->present == other->present && one->managed == other->managed &&
           one->node_present == other->node_present && one->own_reserve == other->own_reserve &&
           one->upper_reserve == other->upper_reserve;
}

/* As many zones, with the same numbers. */
static void test_without_cpus(void) {
    g_autoptr(GPtrArray) names = fixture_names("");

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_auto(MnZones) whole = { 0 }, cut = { 0 };
        gsize len, cut_len;
        g_autofree char *text = fixture_read(name, "zoneinfo", &len);

        if (mn_zones_parse(&whole, text, len) < 0)
            continue;
        cut_len = mn_zones_cut_cpus(text, len);
        CHECK(!g_strstr_len(text, (gssize)cut_len, "pagesets"), "%s", name);
        CHECK(!g_strstr_len(text, (gssize)cut_len, "count:"), "%s", name);
        CHECK(mn_zones_parse(&cut, text, cut_len) == 0 && cut.n == whole.n, "%s", name);
        for (guint zone = 0; zone < MIN(cut.n, whole.n); zone++) {
            CHECK(has_same_numbers(&cut.zones[zone], &whole.zones[zone]), "%s: zone %u", name, zone);
        }
    }
}

static CU_TestInfo tests[] = {
    { "good machines are read, with the place of each start_pfn line", test_good_machines },
    { "values and sums", test_values },
    { "what is managed, and what is only present", test_managed },
    { "machines of other kinds", test_other_machines },
    { "watermarks are taken without their boost", test_boost },
    { "bad machines are refused whole", test_bad_machines },
    { "texts", test_texts },
    { "too many zones", test_too_many_zones },
    { "below a watermark", test_watermarks },
    { "the distance is that of the zone ordinary memory comes from", test_distance },
    { "zones come and go without allocation", test_no_allocation },
    { "this kernel's own text", test_this_kernel },
    { "without what single CPUs keep", test_without_cpus },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "zone", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
