/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotifyfs_watch(), with a directory in the place of a mount. */
#include <memnotifyfs/memnotifyfs.h>

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <sys/stat.h>

static char directory[] = "/tmp/memnotifyfs-header-XXXXXX";
static char file[sizeof directory + sizeof MEMNOTIFYFS_MEMNOTIFY];

static int make_directory(void) {
    if (!mkdtemp(directory))
        return 1;
    snprintf(file, sizeof file, "%s/%s", directory, MEMNOTIFYFS_MEMNOTIFY);
    return 0;
}

static int remove_directory(void) {
    unlink(file);
    return rmdir(directory);
}

static void make_file(mode_t mode) {
    int fd;

    unlink(file);
    fd = open(file, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, mode);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
}

static void check_watch(int (*watch)(const char *mount, const char *limits)) {
    char text[64];
    int fd;

    make_file(0600);
    fd = watch(directory, "used 80%");
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(pread(fd, text, sizeof text, 0), 8);
    CU_ASSERT_EQUAL(memcmp(text, "used 80%", 8), 0);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void test_writes_the_limits(void) {
    check_watch(memnotifyfs_watch);
}

static void test_without_a_mount(void) {
    unlink(file);
    CU_ASSERT_EQUAL(memnotifyfs_watch(directory, "used 80%"), -ENOENT);
    CU_ASSERT_EQUAL(memnotifyfs_watch("/proc/version", "used 80%"), -ENOTDIR);
}

/* NULL is what $MEMNOTIFYFS names, and only that; else the system's mount, of which nothing is known here, or the user's. */
static void test_finds_the_mount(void) {
    char runtime[] = "/tmp/memnotifyfs-runtime-XXXXXX", link[64];
    int fd;

    make_file(0600);
    setenv("MEMNOTIFYFS", directory, 1);
    fd = memnotifyfs_watch(NULL, "used 80%");
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    setenv("MEMNOTIFYFS", "/nonexistent", 1);
    CU_ASSERT_EQUAL(memnotifyfs_watch(NULL, "used 80%"), -ENOENT);

    unsetenv("MEMNOTIFYFS");
    if (access(MEMNOTIFYFS_MOUNT "/" MEMNOTIFYFS_MEMNOTIFY, F_OK) == 0)
        return;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(runtime));
    snprintf(link, sizeof link, "%s/%s", runtime, MEMNOTIFYFS_MOUNT_OF_USER);
    CU_ASSERT_EQUAL_FATAL(symlink(directory, link), 0);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    fd = memnotifyfs_watch(NULL, "used 80%");
    unlink(link);
    rmdir(runtime);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    CU_ASSERT_EQUAL(memnotifyfs_watch(NULL, "used 80%"), -ENOENT);
}

static void test_path_too_long(void) {
    static char mount[PATH_MAX];

    memset(mount, '/', sizeof mount - 1);
    CU_ASSERT_EQUAL(memnotifyfs_watch(mount, "used 80%"), -ENAMETOOLONG);
}

/* A refused write must not leave a descriptor behind. */
static void test_refused_limits(void) {
    int before, after;

    unlink(file);
    CU_ASSERT_EQUAL_FATAL(symlink("/dev/full", file), 0);
    before = dup(0);
    close(before);
    CU_ASSERT_EQUAL(memnotifyfs_watch(directory, "used 80%"), -ENOSPC);
    after = dup(0);
    close(after);
    CU_ASSERT_EQUAL(after, before);
}

#ifdef HAVE_CXX
int watch_from_cxx(const char *mount, const char *limits);

static void test_from_cxx(void) {
    check_watch(watch_from_cxx);
}
#endif

static CU_TestInfo tests[] = { { "watch opens memnotify for both and writes the limits", test_writes_the_limits },
                               { "watch without a mount is ENOENT", test_without_a_mount },
                               { "watch finds the mount by itself", test_finds_the_mount },
                               { "a path that is too long is not cut", test_path_too_long },
                               { "refused limits give the error and no descriptor", test_refused_limits },
#ifdef HAVE_CXX
                               { "the same from C++", test_from_cxx },
#endif
                               CU_TEST_INFO_NULL };

static CU_SuiteInfo suites[] = {
    { .pName = "header", .pInitFunc = make_directory, .pCleanupFunc = remove_directory, .pTests = tests },
    CU_SUITE_INFO_NULL
};

int main(void) {
    unsigned run, failed;

    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    run = CU_get_number_of_tests_run();
    failed = CU_get_number_of_failure_records();
    printf("\n%u passed, %u failed\n", run - CU_get_number_of_tests_failed(), failed);
    CU_cleanup_registry();
    return failed > 0 || run == 0;
}
