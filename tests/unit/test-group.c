/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control groups, as directories of files: levels, limits that change, and no allocation. The real
 * ones are in tests/container. */
#include "allocations.h"
#include "core/meter.h"
#include "descriptors.h"
#include "plain-group.h"
#include "runner.h"
#include "probe/group.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define ALL (MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO)
#define PAGES(mib) ((guint64)(mib)*1048576 / (guint64)sysconf(_SC_PAGESIZE))

static const char stat_text[] = "anon 1048576\nfile 0\nfile_dirty 0\nactive_anon 0\ninactive_file 0\nactive_file 0\n";

/* A group "top/low" of v2, in a temporary directory. */
typedef struct Tree {
    char *root;
    char *top;
    char *low;
} Tree;

static void put_group(const char *directory, const char *limit, const char *usage) {
    plain_group_put(directory, "memory.max", limit);
    plain_group_put(directory, "memory.current", usage);
    plain_group_put(directory, "memory.stat", stat_text);
}

static Tree tree_make(void) {
    Tree tree;

    tree.root = g_dir_make_tmp("memnotifyfs-group.XXXXXX", NULL);
    tree.top = g_build_filename(tree.root, "top", NULL);
    tree.low = g_build_filename(tree.top, "low", NULL);
    if (g_mkdir_with_parents(tree.low, 0755) < 0)
        g_error("cannot make %s", tree.low);
    put_group(tree.top, "67108864\n", "33554432\n");
    put_group(tree.low, "max\n", "16777216\n");
    return tree;
}

static void tree_clear(Tree *self) {
    plain_group_remove(self->low);
    plain_group_remove(self->top);
    g_rmdir(self->root);
    g_free(self->low);
    g_free(self->top);
    g_free(self->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tree, tree_clear)

static MnReading read_group(MnGroup *group) {
    MnSample sample = { 0 };
    MnReading reading = { 0 };
    const char *name = NULL;

    CU_ASSERT_EQUAL(mn_group_sample(group, ALL, &sample, &name), 0);
    mn_reading_from_sample(&sample, &reading);
    return reading;
}

static void test_a_limit_above_bounds_a_group(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    MnReading reading;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    reading = read_group(group);
    CU_ASSERT_EQUAL(reading.pages[MN_METER_TOTAL], PAGES(64));
    CU_ASSERT_EQUAL(reading.pages[MN_METER_FREE], PAGES(48)); /* its own usage */
    CU_ASSERT(mn_group_is_limited(group));
}

static void test_limits_that_change(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    plain_group_put(tree.low, "memory.max", "33554432\n");
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_TOTAL], PAGES(32));
    plain_group_put(tree.low, "memory.max", "max\n");
    plain_group_put(tree.top, "memory.max", "50331648\n");
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_TOTAL], PAGES(48));
    plain_group_put(tree.top, "memory.max", "max\n");
    CU_ASSERT(read_group(group).pages[MN_METER_TOTAL] > PAGES(64));
    CU_ASSERT(!mn_group_is_limited(group));
}

/* Who is over memory.high is slowed down, and never comes to memory.max. */
static void test_high_is_a_limit(void) {
    static const struct {
        const char *high, *max, *high_above, *max_above;
        guint64 total_mib;
    } rows[] = {
        { "max\n", "max\n", "max\n", "67108864\n", 64 },           { "33554432\n", "max\n", "max\n", "67108864\n", 32 },
        { "67108864\n", "33554432\n", "max\n", "max\n", 32 },      { "33554432\n", "67108864\n", "max\n", "max\n", 32 },
        { "33554432\n", "max\n", "16777216\n", "67108864\n", 16 }, { "max\n", "33554432\n", "67108864\n", "max\n", 32 },
    };
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;

    plain_group_put(tree.low, "memory.high", "max\n");
    plain_group_put(tree.top, "memory.high", "max\n");
    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        plain_group_put(tree.low, "memory.high", rows[i].high);
        plain_group_put(tree.low, "memory.max", rows[i].max);
        plain_group_put(tree.top, "memory.high", rows[i].high_above);
        plain_group_put(tree.top, "memory.max", rows[i].max_above);
        CHECK(read_group(group).pages[MN_METER_TOTAL] == PAGES(rows[i].total_mib), "row %u", i);
        CHECK(mn_group_is_limited(group), "row %u", i);
    }
}

static void test_high_of_swap(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    struct sysinfo info;

    plain_group_put(tree.low, "memory.swap.current", "0\n");
    plain_group_put(tree.low, "memory.swap.max", "max\n");
    plain_group_put(tree.low, "memory.swap.high", "4096\n");
    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    sysinfo(&info);
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_SWAP_TOTAL],
                    MIN((guint64)info.totalswap * info.mem_unit, 4096) / (guint64)sysconf(_SC_PAGESIZE));
}

static void test_swap(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) without = NULL;
    g_autoptr(MnGroup) with = NULL;
    MnSample sample = { 0 };
    const char *name;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &without), 0);
    CU_ASSERT_EQUAL(mn_group_sample(without, ALL, &sample, &name), 0);
    CU_ASSERT_EQUAL(sample.known & MN_COUNTER_BIT(MN_COUNTER_SWAP_TOTAL), 0);

    plain_group_put(tree.low, "memory.swap.current", "0\n");
    plain_group_put(tree.low, "memory.swap.max", "0\n");
    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &with), 0);
    CU_ASSERT_EQUAL(mn_group_sample(with, ALL, &sample, &name), 0);
    CU_ASSERT_NOT_EQUAL(sample.known & MN_COUNTER_BIT(MN_COUNTER_SWAP_TOTAL), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_SWAP_TOTAL], 0);
}

static void test_damaged_files(void) {
    static const struct {
        const char *name;
        const char *good;
    } rows[] = {
        { "memory.max", "max\n" },
        { "memory.high", "max\n" },
        { "memory.current", "16777216\n" },
        { "memory.stat", stat_text },
    };
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;

    plain_group_put(tree.low, "memory.high", "max\n");
    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnSample sample = { .known = 4711 };
        const char *name = NULL;

        plain_group_put(tree.low, rows[i].name, "nonsense\n");
        CHECK(mn_group_sample(group, ALL, &sample, &name) == -EBADMSG, "%s", rows[i].name);
        CHECK(g_strcmp0(name, rows[i].name) == 0, "%s: %s", rows[i].name, name);
        CHECK(sample.known == 4711, "%s", rows[i].name);
        plain_group_put(tree.low, rows[i].name, rows[i].good);
        CHECK(mn_group_sample(group, ALL, &sample, &name) == 0, "%s", rows[i].name);
    }
}

static void test_stat_is_not_read_without_need(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    MnSample sample = { 0 };
    const char *name;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    plain_group_put(tree.low, "memory.stat", "nonsense\n");
    CU_ASSERT_EQUAL(mn_group_sample(group, MN_SOURCE_MEMINFO, &sample, &name), 0);
    CU_ASSERT_EQUAL(mn_group_sample(group, ALL, &sample, &name), -EBADMSG);
}

static void test_a_sample_allocates_nothing(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    MnSample sample = { 0 };
    const char *name;
    guint64 before;
    int r;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    before = allocations();
    r = mn_group_sample(group, ALL, &sample, &name);
    CU_ASSERT_EQUAL(allocations(), before);
    CU_ASSERT_EQUAL(r, 0);
}

static void test_what_is_no_group(void) {
    g_auto(Tree) tree = tree_make();
    g_autofree char *file = g_build_filename(tree.low, "memory.max", NULL);
    MnGroup *group = NULL;

    CU_ASSERT_EQUAL(mn_group_new(tree.root, &group), -ENOENT);
    CU_ASSERT_EQUAL(mn_group_new("/nonexistent", &group), -ENOENT);
    CU_ASSERT_EQUAL(mn_group_new(file, &group), -ENOTDIR);
    CU_ASSERT_PTR_NULL(group);
}

static void test_a_group_that_is_removed_and_made_anew(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    MnSample sample = { .known = 4711 };
    const char *name = NULL;

    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    plain_group_remove(tree.low);
    for (guint i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(mn_group_sample(group, ALL, &sample, &name), -ENODEV);
    CU_ASSERT_EQUAL(sample.known, 4711);
    CU_ASSERT_EQUAL(open_descriptors(tree.low), 0); /* or the kernel would keep it */
    CU_ASSERT_EQUAL(mn_group_get_directory_fd(group), -1);

    CU_ASSERT_EQUAL_FATAL(g_mkdir(tree.low, 0755), 0);
    CU_ASSERT_EQUAL(mn_group_sample(group, ALL, &sample, &name), -ENODEV); /* without its controller as yet */
    put_group(tree.low, "33554432\n", "16777216\n");
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_TOTAL], PAGES(32));

    plain_group_remove(tree.low); /* and nobody looks meanwhile */
    CU_ASSERT_EQUAL_FATAL(g_mkdir(tree.low, 0755), 0);
    put_group(tree.low, "max\n", "8388608\n");
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_TOTAL], PAGES(64));
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_FREE], PAGES(56));
}

/* Half of a group, without its swap or the limits above it, would be served for ever. */
static void test_a_group_is_opened_whole_or_not_at_all(void) {
    g_auto(Tree) tree = tree_make();
    g_autoptr(MnGroup) group = NULL;
    MnSample sample = { 0 };
    struct rlimit all, few;
    const char *name;
    int r = -ENODEV, lowest;

    plain_group_put(tree.low, "memory.swap.current", "0\n");
    plain_group_put(tree.low, "memory.swap.max", "0\n");
    CU_ASSERT_EQUAL_FATAL(mn_group_new(tree.low, &group), 0);
    plain_group_remove(tree.low);
    CU_ASSERT_EQUAL(mn_group_sample(group, ALL, &sample, &name), -ENODEV);
    CU_ASSERT_EQUAL_FATAL(g_mkdir(tree.low, 0755), 0);
    put_group(tree.low, "max\n", "16777216\n");
    plain_group_put(tree.low, "memory.swap.current", "0\n");
    plain_group_put(tree.low, "memory.swap.max", "0\n");

    getrlimit(RLIMIT_NOFILE, &all);
    lowest = dup(0);
    close(lowest);
    for (few = all, few.rlim_cur = lowest; r == -ENODEV && few.rlim_cur < (rlim_t)lowest + 20; few.rlim_cur++) {
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
        r = mn_group_sample(group, ALL, &sample, &name);
    }
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &all), ==, 0);
    CU_ASSERT_EQUAL(r, 0);
    CU_ASSERT(few.rlim_cur > (rlim_t)lowest + 8);
    CU_ASSERT_NOT_EQUAL(sample.known & MN_COUNTER_BIT(MN_COUNTER_SWAP_TOTAL), 0);
    CU_ASSERT_EQUAL(read_group(group).pages[MN_METER_TOTAL], PAGES(64));
}

static CU_TestInfo tests[] = {
    { "a limit above bounds a group", test_a_limit_above_bounds_a_group },
    { "limits that change", test_limits_that_change },
    { "memory.high is a limit", test_high_is_a_limit },
    { "so is memory.swap.high", test_high_of_swap },
    { "swap, where it is counted", test_swap },
    { "a damaged file is named, and changes nothing", test_damaged_files },
    { "memory.stat is not read without need", test_stat_is_not_read_without_need },
    { "a sample allocates nothing", test_a_sample_allocates_nothing },
    { "a group that is removed and made anew", test_a_group_that_is_removed_and_made_anew },
    { "a group is opened whole or not at all", test_a_group_is_opened_whole_or_not_at_all },
    { "what is no group", test_what_is_no_group },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "group", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
