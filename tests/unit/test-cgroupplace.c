/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a process finds its group: by the texts of /proc, and by looking into all that there are. */
#include "core/cgroupplace.h"
#include "plain-group.h"
#include "probe/cgroupsearch.h"
#include "runner.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define V1_MOUNT(root, place) "35 31 0:32 " root " " place " rw,nosuid shared:9 - cgroup cgroup rw,memory\n"
#define V2_MOUNT(root, place) "41 31 0:38 " root " " place " rw - cgroup2 none rw,nsdelegate\n"
#define OTHERS "22 1 254:0 / / rw - ext4 /dev/vda rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"

/* The first directory, to be freed. */
static char *find(const char *groups, const char *mounts) {
    MnCgroupVersion version;
    g_autofree char *group = mn_cgroup_find_group(groups, &version);
    g_auto(MnCgroupPlace) place = { 0 };

    while (group && mn_cgroup_place_next(&place, group, version, &mounts))
        if (place.directory)
            return g_steal_pointer(&place.directory);
    return NULL;
}

static void test_places(void) {
    static const struct {
        const char *what;
        const char *groups;
        const char *mounts;
        const char *directory; /* NULL: there is none */
    } rows[] = {
        { "v2", "0::/user/a\n", OTHERS V2_MOUNT("/", "/sys/fs/cgroup"), "/sys/fs/cgroup/user/a" },
        { "v2, in the root group", "0::/\n", V2_MOUNT("/", "/sys/fs/cgroup"), "/sys/fs/cgroup" },
        { "v1", "5:cpu:/x\n4:cpuset,memory:/user/a\n0::/\n", OTHERS V1_MOUNT("/", "/sys/fs/cgroup/memory"),
          "/sys/fs/cgroup/memory/user/a" },
        { "mixed: v1 controls memory", "4:memory:/a\n0::/b\n", V2_MOUNT("/", "/u") V1_MOUNT("/", "/m"), "/m/a" },
        { "mixed: v1 does, and is not mounted", "4:memory:/a\n0::/b\n", V2_MOUNT("/", "/u"), NULL },
        { "mixed: v2 controls memory", "4:cpu:/a\n0::/b\n", OTHERS V2_MOUNT("/", "/u"), "/u/b" },
        { "container without a namespace of groups", "4:memory:/docker/1\n", V1_MOUNT("/docker/1", "/m"), "/m" },
        { "and below its group", "0::/docker/1/init\n", V2_MOUNT("/docker/1", "/c"), "/c/init" },
        { "another one's mount", "0::/docker/1\n", V2_MOUNT("/docker/2", "/c"), NULL },
        { "a name that only begins like it", "0::/docker/12\n", V2_MOUNT("/docker/1", "/c"), NULL },
        { "the second mount has it", "0::/a/b\n", V2_MOUNT("/x", "/1") V2_MOUNT("/a", "/2"), "/2/b" },
        { "outside of the namespace", "0::/../other\n", V2_MOUNT("/", "/sys/fs/cgroup"), NULL },
        { "so is its parent", "0::/..\n", V2_MOUNT("/", "/c"), NULL },
        { "the mount begins outside, too", "0::/../other/a\n", V2_MOUNT("/../other", "/c"), "/c/a" },
        { "above both", "0::/../other\n", V2_MOUNT("/..", "/c"), "/c/other" },
        { "is that group", "0::/..\n", V2_MOUNT("/..", "/c"), "/c" },
        { "further up", "0::/../..\n", V2_MOUNT("/..", "/c"), NULL },
        { "the host's tree in a container", "0::/\n", V2_MOUNT("/../../..", "/c"), NULL },
        { "and another one's, and ours", "0::/\n", V2_MOUNT("/../..", "/1") V2_MOUNT("/", "/2"), "/2" },
        { "a name of dots", "0::/..a/b\n", V2_MOUNT("/", "/c"), "/c/..a/b" },
        { "a colon and a blank in names", "0::/a:b c\n", V2_MOUNT("/", "/my\\040groups"), "/my groups/a:b c" },
        { "no mount", "0::/a\n", OTHERS, NULL },
        { "no group", "", V2_MOUNT("/", "/c"), NULL },
        { "nonsense", "x\n::\n0:\n", "y\n- - - - - - -\n1 2 3 4 5 6 -\n", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *directory = find(rows[i].groups, rows[i].mounts);

        CHECK(g_strcmp0(directory, rows[i].directory) == 0, "%s: %s", rows[i].what, directory);
    }
}

static void test_what_is_above(void) {
    static const struct {
        const char *mounts;
        const char *mountpoint; /* NULL: there is none */
        gboolean is_whole;
    } rows[] = {
        { V2_MOUNT("/", "/c"), "/c", TRUE },
        { V2_MOUNT("/a", "/c"), "/c", FALSE },
        { V2_MOUNT("/..", "/c"), "/c", FALSE },
        { OTHERS V1_MOUNT("/", "/m"), NULL, FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(MnCgroupPlace) place = { 0 };
        const char *mounts = rows[i].mounts;

        CHECK(mn_cgroup_place_next(&place, "/a", MN_CGROUP_V2, &mounts) == (rows[i].mountpoint != NULL), "row %u", i);
        CHECK(g_strcmp0(place.mountpoint, rows[i].mountpoint) == 0 && place.is_whole == rows[i].is_whole, "row %u", i);
        CHECK(!mn_cgroup_place_next(&place, "/a", MN_CGROUP_V2, &mounts) && !place.mountpoint, "row %u", i);
    }
}

/* Directories "top", "top/a", "top/a/b", "top/c", each with its processes. */
static void test_search(void) {
    static const char *const names[] = { "", "a", "a/b", "c" };
    static const struct {
        const char *who[4]; /* "%d": ours */
        int found;          /* an index of names; -1: nowhere */
    } rows[] = {
        { { "1\n", "", "", "%d\n" }, 3 },     { { "1\n", "", "7\n%d\n8\n", "" }, 2 },
        { { "%d\n", "", "", "9\n" }, 0 },     { { "1%d\n", "%d1\n", "1%d\n%d\n", "" }, 2 },
        { { "1%d\n", "%d1\n", "", "" }, -1 }, { { "", "", "", "" }, -1 },
    };
    g_autofree char *top = g_dir_make_tmp("memnotifyfs-search.XXXXXX", NULL);

    for (guint j = 1; j < G_N_ELEMENTS(names); j++) {
        g_autofree char *directory = g_build_filename(top, names[j], NULL);

        CU_ASSERT_EQUAL_FATAL(g_mkdir(directory, 0755), 0);
    }
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *us = g_strdup_printf("%d", (int)getpid());
        g_autofree char *found = NULL, *expected = NULL;

        for (guint j = 0; j < G_N_ELEMENTS(names); j++) {
            g_autofree char *directory = g_build_filename(top, names[j], NULL);
            g_auto(GStrv) parts = g_strsplit(rows[i].who[j], "%d", -1);
            g_autofree char *text = g_strjoinv(us, parts);

            plain_group_put(directory, "cgroup.procs", text);
        }
        if (rows[i].found >= 0)
            expected = rows[i].found > 0 ? g_build_filename(top, names[rows[i].found], NULL) : g_strdup(top);
        CHECK(mn_cgroup_search_own(top, &found) == (expected ? 0 : -ENOENT), "row %u", i);
        CHECK(g_strcmp0(found, expected) == 0, "row %u: %s", i, found);
    }
    for (guint j = G_N_ELEMENTS(names) - 1; j > 0; j--) {
        g_autofree char *directory = g_build_filename(top, names[j], NULL);

        plain_group_remove(directory);
    }
    plain_group_remove(top);
}

static void test_within(void) {
    static const struct {
        const char *groups;
        const char *path;
        gboolean is_within;
    } rows[] = {
        { "0::/user/a\n", "/user/a", TRUE },
        { "0::/user/a\n", "/user", TRUE },
        { "0::/user/a\n", "/", TRUE },
        { "0::/\n", "/", TRUE },
        { "0::/\n", "/user", FALSE },
        { "0::/user/a\n", "/user/a/b", FALSE },
        { "0::/user/ab\n", "/user/a", FALSE },
        { "0::/user/a\n", "/use", FALSE },
        { "4:memory:/x\n0::/user/a\n", "/user", TRUE },
        { "4:cpu,memory:/x/y\n0::/user/a\n", "/x", TRUE },
        { "4:cpu:/x\n0::/user/a\n", "/x", FALSE },
        { "0::/../other\n", "/", TRUE },
        { "", "/", FALSE },
        { "junk\n", "/", FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        CHECK(mn_cgroup_is_within(rows[i].groups, rows[i].path) == rows[i].is_within, "row %u", i);
}

static CU_TestInfo tests[] = {
    { "where a process finds its group", test_places },
    { "whether all above can be seen", test_what_is_above },
    { "a group is found by who is in it", test_search },
    { "who is in a group", test_within },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "place", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
