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
          0, { FALSE, 17, 1039, 8, TRUE } },
        { "pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t7\n", 0, { FALSE, 29, 7, 0, FALSE } },
        { "pos:\t0\nflags:\t012000000\nmnt_id:\t29\nino:\t7\n", 0, { TRUE, 29, 7, 0, FALSE } },
        { "pos:\t0\nflags:\t02\nmnt_id:\t29\n", 0, { FALSE, 29, 0, 0, FALSE } }, /* before 5.14 */
        { "pos:\t0\nflags:\t02\nmnt_id:\t29\neventfd-id: 0\n", 0, { FALSE, 29, 0, 0, TRUE } },
        { "pos:\t0\nflags:\t02\nmnt_id:\t29\nnot-an-eventfd-id: 4\n", 0, { FALSE, 29, 0, 0, FALSE } },
        { "pos:\t0\nmnt_id:\t29\n", -EBADMSG, { 0 } },
        { "pos:\t0\nflags:\t02\n", -EBADMSG, { 0 } },
        { "pos:\t0\nflags:\t02\nmnt_id:\tx\n", -EBADMSG, { 0 } },
        { "flags:", -EBADMSG, { 0 } },
        { "", -EBADMSG, { 0 } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const MnDescriptor *expected = &rows[i].descriptor;
        MnDescriptor parsed = { 0 };

        CHECK(mn_descriptor_parse(rows[i].text, &parsed) == rows[i].expected, "%u", i);
        CHECK(parsed.is_path == expected->is_path && parsed.mount_id == expected->mount_id &&
                  parsed.ino == expected->ino && parsed.eventfd_id == expected->eventfd_id &&
                  parsed.is_eventfd == expected->is_eventfd,
              "%u", i);
    }
}

static void test_processes(void) {
    int pid = 0;

    CU_ASSERT_EQUAL(mn_process_parse("Name:\tTgid: 4\nTgid:\t4711\nPid:\t4712\n", &pid), 0);
    CU_ASSERT_EQUAL(pid, 4711);
    CU_ASSERT_EQUAL(mn_process_parse("Name:\tx\nNStgid:\t4\n", &pid), -EBADMSG);
    CU_ASSERT_EQUAL(mn_process_parse("Tgid:\t0\n", &pid), -EBADMSG);
    CU_ASSERT_EQUAL(mn_process_parse("", &pid), -EBADMSG);
    CU_ASSERT_EQUAL(pid, 4711);
}

static const char mountinfo[] =
    "22 1 0:20 / /proc rw,nosuid - proc proc rw\n"
    "30 22 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "31 22 0:32 / /sys/fs/cgroup/cpu rw,relatime shared:10 master:3 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 22 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    "nonsense\n"
    "40 1 0:41 / /mnt/a\\040b rw - fuse.memnotifyfs memnotifyfs rw,user_id=0\n"
    "41 1 0:42 / /mnt/a\\040b rw - fuse.memnotifyfs memnotifyfs rw,user_id=0\n";

static gboolean is_at(const MnMount *mount, gconstpointer path) {
    return strcmp(mount->mountpoint, path) == 0;
}

static void test_mounts(void) {
    g_auto(MnMount) mount = { 0 };
    guint major = 9, minor = 9;

    CU_ASSERT_EQUAL(mn_mount_find(mountinfo, is_at, "/mnt/a b", &mount), 0);
    CU_ASSERT_EQUAL(mount.id, 41); /* the one on top */
    CU_ASSERT_EQUAL(mount.minor, 42);
    CU_ASSERT_STRING_EQUAL(mount.type, "fuse.memnotifyfs");

    CU_ASSERT_EQUAL(mn_mount_find_device(mountinfo, 31, &major, &minor), 0);
    CU_ASSERT_EQUAL(major, 0);
    CU_ASSERT_EQUAL(minor, 32);
    CU_ASSERT_EQUAL(mn_mount_find_device(mountinfo, 3, &major, &minor), -ENOENT);
    CU_ASSERT_EQUAL(mn_mount_find_device("", 3, &major, &minor), -ENOENT);
    CU_ASSERT_EQUAL(minor, 32);
}

static CU_TestInfo tests[] = {
    { "descriptors", test_descriptors },
    { "the process of a thread", test_processes },
    { "mounts", test_mounts },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "descriptor", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
