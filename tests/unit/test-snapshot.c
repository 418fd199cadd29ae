/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One consistent text for each reading. */
#include "fs/snapshot.h"
#include "runner.h"

#include <string.h>

/* A read as the filesystem makes it. `text` is what the file would show now. */
static char *read_at(MnSnapshot *snapshot, off_t offset, gsize size, const char *text) {
    const char *bytes = NULL;
    gsize n;

    if (mn_snapshot_needs_text(snapshot, offset)) {
        GRefString *held = g_ref_string_new(text);

        mn_snapshot_begin(snapshot, held, offset);
        g_ref_string_release(held); /* the snapshot has its own */
    }
    n = mn_snapshot_read(snapshot, offset, size, &bytes);
    return g_strndup(n > 0 ? bytes : "", n);
}

static void check_read(MnSnapshot *snapshot, off_t offset, gsize size, const char *text, const char *expected) {
    g_autofree char *got = read_at(snapshot, offset, size, text);

    CHECK(strcmp(got, expected) == 0, "%zu bytes at %" G_GINT64_FORMAT ": %s", size, (gint64)offset, got);
}

static void test_byte_by_byte(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 1, "abc", "a");
    check_read(&snapshot, 1, 1, "XYZ", "b");
    check_read(&snapshot, 2, 1, "XYZ", "c");
    check_read(&snapshot, 3, 1, "XYZ", "");
    check_read(&snapshot, 4, 1, "XYZ", "");
    mn_snapshot_clear(&snapshot);
}

static void test_offset_0_begins_anew(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 100, "abc", "abc");
    check_read(&snapshot, 0, 100, "XYZ", "XYZ");
    check_read(&snapshot, 1, 1, "123", "Y");
    mn_snapshot_clear(&snapshot);
}

static void test_pread_into_a_file_not_read_before(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 1, 1, "abc", "b");
    check_read(&snapshot, 2, 100, "XYZ", "c");
    check_read(&snapshot, 1, 100, "XYZ", "bc");
    mn_snapshot_clear(&snapshot);
}

static void test_pread_beyond_the_end_of_a_file_not_read_before(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 100, 10, "abc", "");
    check_read(&snapshot, 1, 10, "XYZ", "bc");
    mn_snapshot_clear(&snapshot);
}

static void test_going_on_at_the_end(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 100, "abc", "abc");
    snapshot.may_go_on = TRUE;
    check_read(&snapshot, 1, 1, "XYZ", "b"); /* not at the end */
    check_read(&snapshot, 3, 2, "XYZ", "XY");
    check_read(&snapshot, 5, 2, "123", "Z");
    check_read(&snapshot, 6, 2, "123", "");
    mn_snapshot_clear(&snapshot);
}

static void test_going_on_beyond_the_end(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 100, "abc", "abc");
    snapshot.may_go_on = TRUE;
    check_read(&snapshot, 40, 2, "XYZ", "XY");
    check_read(&snapshot, 42, 2, "123", "Z");
    check_read(&snapshot, 39, 2, "123456789", ""); /* before what went on: a file not read before */
    mn_snapshot_clear(&snapshot);
}

static void test_restart_wherever_it_is(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 2, "abc", "ab");
    snapshot.must_restart = TRUE;
    check_read(&snapshot, 2, 2, "XYZ", "XY");
    check_read(&snapshot, 4, 2, "123", "Z");
    check_read(&snapshot, 5, 2, "123", "");
    mn_snapshot_clear(&snapshot);
}

static void test_restart_before_the_first_read(void) {
    MnSnapshot snapshot = { 0 };

    snapshot.must_restart = TRUE; /* a write of 9 bytes came first */
    check_read(&snapshot, 9, 100, "abc", "abc");
    check_read(&snapshot, 12, 100, "XYZ", "");
    mn_snapshot_clear(&snapshot);
}

static void test_an_empty_text(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 100, "", "");
    check_read(&snapshot, 1, 100, "abc", "");
    check_read(&snapshot, 0, 100, "abc", "abc");
    mn_snapshot_clear(&snapshot);
}

static void test_no_size(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 0, "abc", "");
    check_read(&snapshot, 0, 3, "XYZ", "XYZ");
    mn_snapshot_clear(&snapshot);
}

static void test_the_largest_offset(void) {
    MnSnapshot snapshot = { 0 };

    check_read(&snapshot, 0, 100, "abc", "abc");
    check_read(&snapshot, G_MAXINT64, 1, "XYZ", "");
    snapshot.may_go_on = TRUE;
    check_read(&snapshot, G_MAXINT64 - 1, 1, "XYZ", "X");
    snapshot.may_go_on = TRUE;
    check_read(&snapshot, G_MAXINT64, 1, "123", "Y"); /* not beyond the end */
    check_read(&snapshot, 0, 100, "123", "123");
    mn_snapshot_clear(&snapshot);
}

static CU_TestInfo tests[] = {
    { "byte by byte it is one text and an end", test_byte_by_byte },
    { "offset 0 begins anew", test_offset_0_begins_anew },
    { "pread into a file not read before", test_pread_into_a_file_not_read_before },
    { "pread beyond the end of a file not read before", test_pread_beyond_the_end_of_a_file_not_read_before },
    { "a fresh text at the end", test_going_on_at_the_end },
    { "a fresh text beyond the end", test_going_on_beyond_the_end },
    { "a fresh text wherever it is", test_restart_wherever_it_is },
    { "a fresh text after a write", test_restart_before_the_first_read },
    { "an empty text", test_an_empty_text },
    { "a read of no bytes", test_no_size },
    { "the largest offset", test_the_largest_offset },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "snapshot", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
