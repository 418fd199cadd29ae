/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says of a machine and of its groups, word by word. */
#include "fixture.h"
#include "plain-group.h"
#include "probe/transcript.h"
#include "runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* By their names; NULL for what is gone. */
static void put(const char *name, const char *text, gsize len, gpointer data) {
    g_hash_table_insert(data, g_strdup(name), text ? g_strndup(text, len) : NULL);
}

static GHashTable *read_all(MnTranscript *transcript) {
    GHashTable *texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    mn_transcript_read(transcript, put, texts);
    return texts;
}

static void test_machine(void) {
    g_autofree char *directory = fixture_copy("debian-6.1");
    g_autofree char *vmstat = NULL;
    g_autoptr(MnTranscript) transcript = NULL;
    g_autoptr(GHashTable) texts = NULL, later = NULL;
    MnGlance glance;
    gsize len;

    CU_ASSERT_EQUAL_FATAL(mn_transcript_new(directory, &transcript), 0);
    texts = read_all(transcript);
    vmstat = fixture_read("debian-6.1", "vmstat", &len);
    CU_ASSERT_EQUAL(strlen(g_hash_table_lookup(texts, "vmstat")), len);
    CU_ASSERT_EQUAL(memcmp(g_hash_table_lookup(texts, "vmstat"), vmstat, len), 0);
    CU_ASSERT_PTR_NULL(strstr(g_hash_table_lookup(texts, "zoneinfo"), "pagesets"));
    CU_ASSERT_EQUAL(g_hash_table_size(texts), 3);
    CU_ASSERT_EQUAL(mn_transcript_glance(transcript, &glance), 0);
    CU_ASSERT(glance.total == 222620 && glance.free == 3612 && glance.available == 111220);

    fixture_replace(directory, "meminfo", "MemTotal: 7 kB\nMemFree: 5 kB\n", 29);
    later = read_all(transcript);
    CU_ASSERT_STRING_EQUAL(g_hash_table_lookup(later, "meminfo"), "MemTotal: 7 kB\nMemFree: 5 kB\n");
    CU_ASSERT_EQUAL(mn_transcript_glance(transcript, &glance), 0);
    CU_ASSERT(glance.total == 7 && glance.free == 5 && glance.available == 0);
    fixture_remove(g_steal_pointer(&directory));
}

static void test_a_text_that_goes_and_comes(void) {
    g_autofree char *directory = fixture_copy("debian-6.1");
    g_autofree char *path = g_build_filename(directory, "zoneinfo", NULL);
    g_autoptr(MnTranscript) transcript = NULL;
    g_autoptr(GHashTable) there = NULL, gone = NULL, back = NULL;

    CU_ASSERT_EQUAL_FATAL(mn_transcript_new(directory, &transcript), 0);
    there = read_all(transcript);
    unlink(path);
    gone = read_all(transcript);
    CU_ASSERT(g_hash_table_contains(gone, "zoneinfo"));
    CU_ASSERT_PTR_NULL(g_hash_table_lookup(gone, "zoneinfo"));
    fixture_replace(directory, "zoneinfo", "Node\n", 5);
    back = read_all(transcript);
    CU_ASSERT_STRING_EQUAL(g_hash_table_lookup(back, "zoneinfo"), "Node\n");
    fixture_remove(g_steal_pointer(&directory));
}

static void check_group(guint version, const char *limit, const char *usage) {
    char *group = plain_group_new(version);
    g_autoptr(MnTranscript) transcript = NULL;
    g_autoptr(GHashTable) there = NULL, gone = NULL, back = NULL;

    plain_group_put(group, "memory.pressure", "some\n");
    CU_ASSERT_EQUAL_FATAL(mn_transcript_new("/proc", &transcript), 0);
    CU_ASSERT_EQUAL_FATAL(mn_transcript_add_group(transcript, group), 0);
    there = read_all(transcript);
    CU_ASSERT(g_hash_table_lookup(there, limit) && g_hash_table_lookup(there, usage));
    CU_ASSERT_STRING_EQUAL(g_hash_table_lookup(there, "cgroup/0/memory.pressure"), "some\n");
    CU_ASSERT_FALSE(g_hash_table_contains(there, "cgroup/0/memory.events"));

    plain_group_remove(group);
    gone = read_all(transcript);
    CU_ASSERT(g_hash_table_contains(gone, usage) && !g_hash_table_lookup(gone, usage));
    CU_ASSERT(g_hash_table_lookup(gone, "meminfo") != NULL);
    plain_group_make(group, version);
    back = read_all(transcript);
    CU_ASSERT(g_hash_table_lookup(back, usage) != NULL);
    plain_group_free(group);
}

static void test_groups(void) {
    check_group(1, "cgroup/0/memory.limit_in_bytes", "cgroup/0/memory.usage_in_bytes");
    check_group(2, "cgroup/0/memory.max", "cgroup/0/memory.current");
}

static void test_what_is_not_there(void) {
    g_autoptr(MnTranscript) transcript = NULL;

    CU_ASSERT_EQUAL(mn_transcript_new("/nowhere/at/all", &transcript), -ENOENT);
    CU_ASSERT_EQUAL_FATAL(mn_transcript_new("/proc", &transcript), 0);
    CU_ASSERT_EQUAL(mn_transcript_add_group(transcript, "/tmp"), -ENOENT);
}

static CU_TestInfo tests[] = {
    { "machine", test_machine }, { "a text that goes and comes", test_a_text_that_goes_and_comes },
    { "groups", test_groups },   { "what is not there", test_what_is_not_there },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "transcript", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
