/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotifyfs: texts of limits are taken to pieces as the server understands them. And places. */
#include "core/limit.h"
#include "limit-text.h"
#include "limit.h"
#include "place.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define PAGE_BYTES 4096

/* The server's own parser is asked for what is right. */
static void check_split(const char *text) {
    const MnMachine machine = { .page_bytes = PAGE_BYTES, .offered = (1U << MN_N_METERS) - 1 };
    const guint64 totals[] = { 1, 101, 6171024, G_GUINT64_CONSTANT(1) << 40 };
    g_autofree char *flat = g_strdup(text);
    struct limit limits[LIMIT_N_MAX];
    size_t n = 4711;
    MnLimitSet set;

    CHECK(mn_limit_set_parse(text, strlen(text), &machine, NULL, &set) == 0, "%s", text);
    limit_flatten(flat);
    CHECK(strlen(flat) == strlen(text) && !strpbrk(flat, "\n\t\r#"), "%s", text);
    CHECK(limit_split_all(flat, PAGE_BYTES, limits, &n) == 0 && n == set.n, "%s", text);
    if (n != set.n)
        return;
    for (guint i = 0; i < set.n; i++) {
        const MnLimit *expected = &set.limits[i];
        g_autofree char *alone = g_strdup_printf("%s%.*s", limits[i].op, (int)limits[i].len, limits[i].amount);
        MnLimitSet one;

        CHECK(strcmp(limits[i].meter, mn_meters[expected->meter].name) == 0, "%s", text);
        CHECK(limits[i].is_below == (expected->op == MN_OP_BELOW), "%s", text);
        for (guint j = 0; j < G_N_ELEMENTS(totals); j++)
            CHECK(limit_at_pages(&limits[i], totals[j]) == mn_limit_pages(expected, totals[j]), "%s", text);
        CHECK(mn_limit_set_parse_one(alone, strlen(alone), &machine, expected->meter, NULL, &one) == 0 && one.n == 1 &&
                  limit_equal(&one.limits[0], expected),
              "%s", alone);
    }
}

static void test_as_the_server(void) {
    static const char *const texts[] = {
        "",
        " \n\t,,",
        "# nothing",
        "used 80%",
        "used 80% active 5000",
        "available<512M",
        "used=5000,active:8000",
        "used>=80% free<1.5G dirty>5kB anon<=7MiB file<0.000001T shmem 100% mlocked<=0 swap_free>0",
        "  used   1k active\t1KiB\nfree 1m # a comment, used 5\n total:1g available=1t",
        "used 0 active 0% free 7",
        "used 33.333333%",
        "used 0.000001%",
        "used 18446744073709551615",
        "used>= 5 active > 5 free <\n5 dirty <=\t5",
        "used value=109718 op=>= limit=493682 reached=0 crossings=0\nfree value=5 op=< limit=6 reached=1 crossings=3\n",
        "used 1 active 2 total 3 free 4 available 5 anon 6 file 7 shmem 8 slab_reclaimable 9 dirty 11 swap_free 13",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        check_split(texts[i]);
}

/* None of these is found to be wrong only here; but what is, is no limit. */
static void test_what_cannot_be_split(void) {
    static const char *const texts[] = { "used",
                                         "80%",
                                         "used x",
                                         "used 1x",
                                         "used<",
                                         "used -1",
                                         "used 101%",
                                         "used 5 K",
                                         "used value= 5",
                                         "used value=1 op=< limit=2",
                                         "used<<10",
                                         "<5",
                                         "used 99999999999999999999" };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct limit limits[LIMIT_N_MAX];
        size_t n = 4711;

        CHECK(limit_split_all(texts[i], PAGE_BYTES, limits, &n) == -EINVAL && n == 4711, "%s", texts[i]);
    }
}

static void test_too_many(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    struct limit limits[LIMIT_N_MAX];
    size_t n;

    for (guint i = 0; i < LIMIT_N_MAX; i++)
        g_string_append(text, "x 5 ");
    CU_ASSERT_EQUAL(limit_split_all(text->str, PAGE_BYTES, limits, &n), 0);
    CU_ASSERT_EQUAL(n, LIMIT_N_MAX);
    g_string_append(text, "x 5");
    CU_ASSERT_EQUAL(limit_split_all(text->str, PAGE_BYTES, limits, &n), -EINVAL);
}

static void test_places(void) {
    static const struct {
        const char *argument, *environment, *runtime_dir;
        unsigned n;
        const char *paths[PLACES_MAX];
    } rows[] = {
        { "/a/b", "/env", "/xdg", 1, { "/a/b" } },
        { "/a/b///", NULL, NULL, 1, { "/a/b" } },
        { "/", NULL, NULL, 1, { "/" } },
        { "b", "/env", NULL, 1, { "b" } },
        { "", "/env/", "/xdg", 1, { "/env" } },
        { NULL, "/env", "/xdg", 1, { "/env" } },
        { NULL, "", "/xdg", 2, { "/run/memnotify", "/xdg/memnotify" } },
        { NULL, NULL, "", 1, { "/run/memnotify" } },
        { NULL, NULL, NULL, 1, { "/run/memnotify" } },
    };
    g_autofree char *long_path = g_strnfill(PATH_MAX, 'x');
    static struct places places;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(places_find(rows[i].argument, rows[i].environment, rows[i].runtime_dir, &places) == 0, "%u", i);
        CHECK(places.n == rows[i].n, "%u", i);
        for (guint j = 0; j < MIN(places.n, rows[i].n); j++)
            CHECK(strcmp(places.paths[j], rows[i].paths[j]) == 0, "%u", i);
    }
    CU_ASSERT_EQUAL(places_find(long_path, NULL, NULL, &places), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(places_find(NULL, NULL, long_path, &places), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(places_find(long_path + 1, NULL, NULL, &places), 0);
}

static CU_TestInfo tests[] = {
    { "limits are where the server has them", test_as_the_server },
    { "what cannot be taken to pieces", test_what_cannot_be_split },
    { "no more limits than there can be meters", test_too_many },
    { "places, by argument and environment", test_places },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "split", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
