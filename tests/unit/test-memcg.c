/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The group of memcg/, as a directory of plain files. */
#include "core/meter.h"
#include "descriptors.h"
#include "plain-group.h"
#include "runner.h"
#include "probe/memcg.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *directory; /* of v2 */
static char *directory_v1;

static void set_up(void) {
    directory = plain_group_new(MN_CGROUP_V2);
    directory_v1 = plain_group_new(MN_CGROUP_V1);
}

static void tear_down(void) {
    plain_group_free(directory);
    plain_group_free(directory_v1);
}

static void test_versions(void) {
    g_autoptr(MnMemcg) v1 = NULL;
    g_autoptr(MnMemcg) v2 = NULL;

    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory_v1, &v1), 0);
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &v2), 0);
    CU_ASSERT_EQUAL(mn_memcg_get_version(v1), MN_CGROUP_V1);
    CU_ASSERT_EQUAL(mn_memcg_get_version(v2), MN_CGROUP_V2);
    CU_ASSERT_STRING_EQUAL(mn_memcg_get_directory(v2), directory);
}

static void test_what_is_no_group(void) {
    g_autofree char *parent = g_path_get_dirname(directory);
    g_autofree char *file = g_build_filename(directory, "memory.max", NULL);
    MnMemcg *memcg = NULL;

    CU_ASSERT_EQUAL(mn_memcg_new(parent, &memcg), -ENOENT);
    CU_ASSERT_EQUAL(mn_memcg_new("/nonexistent", &memcg), -ENOENT);
    CU_ASSERT_EQUAL(mn_memcg_new(file, &memcg), -ENOTDIR);
    CU_ASSERT_PTR_NULL(memcg);
    CU_ASSERT_EQUAL(open_descriptors(parent), 0);
}

/* The daemon changes its working directory; the name is needed later, to watch the directory above. */
static void test_a_relative_name(void) {
    g_autofree char *parent = g_path_get_dirname(directory);
    g_autofree char *before = g_get_current_dir();
    g_autoptr(MnMemcg) memcg = NULL;

    CU_ASSERT_EQUAL_FATAL(g_chdir(parent), 0);
    CU_ASSERT_EQUAL(mn_memcg_new("./group/", &memcg), 0);
    CU_ASSERT_STRING_EQUAL(mn_memcg_get_directory(memcg), directory);
    CU_ASSERT_EQUAL(g_chdir(before), 0);
}

static void test_usage(void) {
    static const struct {
        MnCgroupVersion version;
        const char *swap_file; /* NULL: swap is not counted */
        guint64 swap;
        guint64 memsw; /* expected */
    } rows[] = {
        { MN_CGROUP_V1, NULL, 0, 0 },
        { MN_CGROUP_V2, NULL, 0, 0 },
        { MN_CGROUP_V1, "memory.memsw.usage_in_bytes", 1200, 1200 },
        { MN_CGROUP_V2, "memory.swap.current", 200, 1200 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *path = rows[i].version == MN_CGROUP_V1 ? directory_v1 : directory;
        guint64 bit = MN_COUNTER_BIT(MN_COUNTER_GROUP_MEMSW);
        g_autoptr(MnMemcg) memcg = NULL;
        MnSample sample = { 0 };

        if (rows[i].swap_file)
            plain_group_put_pages(path, rows[i].swap_file, rows[i].swap);
        CU_ASSERT_EQUAL_FATAL(mn_memcg_new(path, &memcg), 0);
        CHECK(mn_memcg_counts_swap(memcg) == (rows[i].swap_file != NULL), "%u", i);
        CHECK(mn_memcg_sample(memcg, &sample) == 0, "%u", i);
        CHECK(sample.counters[MN_COUNTER_GROUP_USAGE] == 1000, "%u", i);
        CHECK(sample.counters[MN_COUNTER_GROUP_MEMSW] == rows[i].memsw, "%u", i);
        CHECK(((sample.known & bit) != 0) == (rows[i].swap_file != NULL), "%u", i);
    }
}

static void test_damaged_usage(void) {
    static const char *const names[] = { "memory.current", "memory.swap.current" };
    g_autoptr(MnMemcg) memcg = NULL;

    plain_group_put_pages(directory, "memory.swap.current", 0);
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &memcg), 0);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        MnSample sample = { .known = 4711 };

        plain_group_put(directory, names[i], "nonsense\n");
        CHECK(mn_memcg_sample(memcg, &sample) == -EBADMSG, "%s", names[i]);
        CHECK(sample.known == 4711, "%s", names[i]);
        plain_group_put(directory, names[i], "0\n");
        CHECK(mn_memcg_sample(memcg, &sample) == 0, "%s", names[i]);
    }
}

static void test_texts(void) {
    g_autoptr(MnMemcg) memcg = NULL;
    g_autofree char *text = NULL, *written = NULL, *longest = g_strnfill(40000, 'x');
    g_autofree char *cut = NULL;
    int fd;

    plain_group_put(directory, "memory.events", "oom 3\n");
    plain_group_put(directory, "memory.oom_control", "");
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &memcg), 0);
    CU_ASSERT_EQUAL(mn_memcg_read(memcg, "memory.events", &text), 0);
    CU_ASSERT_STRING_EQUAL(text, "oom 3\n");
    CU_ASSERT_EQUAL(mn_memcg_write(memcg, "memory.oom_control", "1 and more", 1), 0);
    written = plain_group_get(directory, "memory.oom_control");
    CU_ASSERT_STRING_EQUAL(written, "1");
    CU_ASSERT_EQUAL(mn_memcg_open_events(memcg, &fd), 0);
    close(fd);

    plain_group_put(directory, "memory.stat", longest);
    CU_ASSERT_EQUAL(mn_memcg_read(memcg, "memory.stat", &cut), 0);
    CU_ASSERT(strlen(cut) < 40000);

    CU_ASSERT_EQUAL(mn_memcg_read(memcg, "memory.nothing", &text), -ENOENT);
    CU_ASSERT_EQUAL(mn_memcg_write(memcg, "memory.nothing", "1", 1), -ENOENT);
    CU_ASSERT_STRING_EQUAL(text, "oom 3\n");
}

/* Two numbers, of which the second is a descriptor of the control file, which is closed afterwards. */
static void test_registering_with_the_kernel(void) {
    g_autoptr(MnMemcg) memcg = NULL;
    g_autofree char *line = NULL;
    int control = 0;
    guint n_before;

    plain_group_put(directory_v1, "cgroup.event_control", "");
    plain_group_put(directory_v1, "memory.pressure_level", "");
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory_v1, &memcg), 0);
    CU_ASSERT(mn_memcg_takes_registrations(memcg));
    n_before = open_descriptors(directory_v1);
    CU_ASSERT_EQUAL(mn_memcg_register(memcg, 17, "memory.pressure_level", "low,local\n", 9), 0);
    CU_ASSERT_EQUAL(mn_memcg_register(memcg, 17, "memory.nothing", "", 0), -ENOENT);
    CU_ASSERT_EQUAL(open_descriptors(directory_v1), n_before);

    line = plain_group_get(directory_v1, "cgroup.event_control");
    CU_ASSERT_EQUAL(sscanf(line, "17 %d low,local", &control), 1);
    CU_ASSERT(g_str_has_suffix(line, " low,local"));
    CU_ASSERT(control > 0);
}

static void test_where_the_kernel_takes_none(void) {
    g_autoptr(MnMemcg) without = NULL;
    g_autoptr(MnMemcg) v2 = NULL;

    plain_group_put(directory, "cgroup.event_control", ""); /* cannot be, and means nothing */
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory_v1, &without), 0);
    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &v2), 0);
    CU_ASSERT(!mn_memcg_takes_registrations(without));
    CU_ASSERT(!mn_memcg_takes_registrations(v2));
}

static void test_removal(void) {
    g_autoptr(MnMemcg) memcg = NULL;
    MnSample sample = { .known = 4711 };
    char *text = NULL;
    int fd;

    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &memcg), 0);
    CU_ASSERT(!mn_memcg_check_removed(memcg));
    plain_group_remove(directory);
    CU_ASSERT(mn_memcg_check_removed(memcg));
    CU_ASSERT_EQUAL(open_descriptors(directory), 0); /* or the kernel would keep it */

    CU_ASSERT(mn_memcg_check_removed(memcg));
    CU_ASSERT_EQUAL(mn_memcg_sample(memcg, &sample), -ENODEV);
    CU_ASSERT_EQUAL(sample.known, 4711);
    CU_ASSERT_EQUAL(mn_memcg_read(memcg, "memory.stat", &text), -ENODEV);
    CU_ASSERT_EQUAL(mn_memcg_write(memcg, "memory.stat", "1", 1), -ENODEV);
    CU_ASSERT_EQUAL(mn_memcg_open_events(memcg, &fd), -ENODEV);
    CU_ASSERT_EQUAL(mn_memcg_register(memcg, 17, "memory.stat", "", 0), -ENODEV);
    CU_ASSERT_EQUAL(mn_memcg_get_version(memcg), MN_CGROUP_V2);
    CU_ASSERT_EQUAL(mn_memcg_reopen(memcg), -ENOENT);
}

/* A new group by the old name is another one, until it is asked for. */
static void test_a_group_made_anew(void) {
    g_autoptr(MnMemcg) memcg = NULL;
    MnSample sample = { 0 };

    CU_ASSERT_EQUAL_FATAL(mn_memcg_new(directory, &memcg), 0);
    plain_group_remove(directory);
    CU_ASSERT_EQUAL_FATAL(g_mkdir(directory, 0755), 0);
    plain_group_put_pages(directory, "memory.current", 1);
    CU_ASSERT(mn_memcg_check_removed(memcg));
    CU_ASSERT_EQUAL(mn_memcg_sample(memcg, &sample), -ENODEV);
    CU_ASSERT_EQUAL(mn_memcg_reopen(memcg), 0);
    CU_ASSERT_EQUAL(mn_memcg_reopen(memcg), 0);
    CU_ASSERT(!mn_memcg_check_removed(memcg));
    CU_ASSERT_EQUAL(mn_memcg_sample(memcg, &sample), 0);
    CU_ASSERT_EQUAL(sample.counters[MN_COUNTER_GROUP_USAGE], 1);
}

static CU_TestInfo tests[] = {
    { "versions", test_versions },
    { "what is no group", test_what_is_no_group },
    { "a relative name", test_a_relative_name },
    { "usage, with swap where it is counted", test_usage },
    { "damaged usage changes nothing", test_damaged_usage },
    { "texts that are read and written", test_texts },
    { "registering with the kernel", test_registering_with_the_kernel },
    { "where the kernel takes no registrations", test_where_the_kernel_takes_none },
    { "when the group is removed everything is closed", test_removal },
    { "a group made anew is another one", test_a_group_made_anew },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "memcg", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
