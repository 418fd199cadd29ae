/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a client: its descriptors and its mounts. */
#include "core/descriptor.h"
#include "core/mountinfo.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static void test_descriptors(void) {
    static const struct {
        const char *text;
        int expected;
        MnDescriptor descriptor;
    } rows[] = {
        { "pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t1039\neventfd-count:                3\neventfd-id: 8\n"
          "eventfd-semaphore: 0\n",
          0,
          { .is_eventfd = TRUE, .eventfd_id = 8 } },
        { "pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t7\n", 0, { 0 } },
        { "pos:\t0\nflags:\t012000000\nmnt_id:\t29\nino:\t7\n", 0, { .is_path = TRUE } },
        { "pos:\t0\nflags:\t02\nmnt_id:\t29\neventfd-id: 0\n", 0, { .is_eventfd = TRUE } },
        { "pos:\t0\nflags:\t02\nmnt_id:\t29\nnot-an-eventfd-id: 4\n", 0, { 0 } },
        { "pos:\t0\nmnt_id:\t29\n", -EBADMSG, { 0 } },
        { "flags:", -EBADMSG, { 0 } },
        { "flags:\tx\n", -EBADMSG, { 0 } },
        { "", -EBADMSG, { 0 } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const MnDescriptor *expected = &rows[i].descriptor;
        MnDescriptor parsed = { 0 };

        CHECK(mn_descriptor_parse(rows[i].text, &parsed) == rows[i].expected, "%u", i);
        CHECK(parsed.is_path == expected->is_path && parsed.eventfd_id == expected->eventfd_id &&
                  parsed.is_eventfd == expected->is_eventfd,
              "%u", i);
    }
}

static const char mountinfo[] =
    "22 1 0:20 / /proc rw,nosuid - proc proc rw\n"
    "30 22 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "31 22 0:32 /a /sys/fs/cgroup/cpu rw,relatime shared:10 master:3 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 22 0:33 / /sys/fs/cgroup/uni\\134fied rw - cgroup2  rw\n"
    "nonsense\n"
    "40 1 0:41 / /mnt/a\\040b rw - fuse.memnotifyfs memnotifyfs rw,user_id=0\n"
    "41 1 0:42 / /mnt/a\\040b rw - fuse.memnotifyfs memnotifyfs rw,user_id=0"; /* no newline */

static void test_mounts(void) {
    static const struct {
        guint64 id;
        guint minor;
        const char *root;
        const char *mountpoint;
        const char *type;
        const char *options;
    } rows[] = {
        { 22, 20, "/", "/proc", "proc", "rw" },
        { 30, 31, "/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory" },
        { 31, 32, "/a", "/sys/fs/cgroup/cpu", "cgroup", "rw,cpu,cpuacct" },
        { 32, 33, "/", "/sys/fs/cgroup/uni\\fied", "cgroup2", "rw" },
        { 40, 41, "/", "/mnt/a b", "fuse.memnotifyfs", "rw,user_id=0" },
        { 41, 42, "/", "/mnt/a b", "fuse.memnotifyfs", "rw,user_id=0" },
    };
    g_auto(MnMount) mount = { 0 };
    const char *rest = mountinfo;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CU_ASSERT_TRUE_FATAL(mn_mount_next(&mount, &rest));
        CHECK(mount.id == rows[i].id && mount.major == 0 && mount.minor == rows[i].minor, "%u", i);
        CHECK(strcmp(mount.root, rows[i].root) == 0, "%u: %s", i, mount.root);
        CHECK(strcmp(mount.mountpoint, rows[i].mountpoint) == 0, "%u: %s", i, mount.mountpoint);
        CHECK(strcmp(mount.type, rows[i].type) == 0, "%u: %s", i, mount.type);
        CHECK(strcmp(mount.options, rows[i].options) == 0, "%u: %s", i, mount.options);
    }
    CU_ASSERT_FALSE(mn_mount_next(&mount, &rest));
    CU_ASSERT_FALSE(mn_mount_next(&mount, &rest));
    CU_ASSERT_PTR_NULL(mount.mountpoint);
}

static void test_no_mounts(void) {
    static const char *const texts[] = {
        "",
        "\n",
        "\n\n",
        "1",
        "1 2 0:3 / / rw",
        "1 2 0:3 / / rw - proc proc",
        "1 2 0:3 / / rw x proc proc rw",
        "1 2 3 / / rw - proc proc rw",
        "1 2 0:3 / - rw proc proc rw",
        "- - - - - - - - - -",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_auto(MnMount) mount = { 0 };
        const char *rest = texts[i];

        CHECK(!mn_mount_next(&mount, &rest), "%s", texts[i]);
        CHECK(*rest == '\0', "%s", texts[i]);
    }
}

static CU_TestInfo tests[] = {
    { "descriptors", test_descriptors },
    { "mounts", test_mounts },
    { "texts without a mount", test_no_mounts },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "descriptor", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
