/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a moment due before its time. */
#include "board/doorbell.h"
#include "descriptors.h"
#include "fixture.h"
#include "plain-group.h"
#include "runner.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static guint n_rings;

static void on_ring(gpointer data G_GNUC_UNUSED) {
    n_rings++;
}

static MnProbe *probe_new(const char *directory) {
    MnProbe *probe = NULL;
    const char *name;

    g_assert_cmpint(mn_probe_new(directory, &probe, &name), ==, 0);
    return probe;
}

static void test_a_changed_file_rings(void) {
    char *directory = fixture_copy("debian-6.1");
    g_autoptr(MnProbe) probe = probe_new(directory);
    MnDoorbell doorbell;

    n_rings = 0;
    mn_doorbell_init(&doorbell, probe, on_ring, NULL);
    fixture_replace(directory, "vmstat", "x", 1); /* before anybody waits */
    mn_doorbell_start(&doorbell);
    mn_doorbell_start(&doorbell); /* of no effect */
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(n_rings, 0);
    fixture_replace(directory, "vmstat", "y", 1);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(n_rings, 1);
    mn_doorbell_stop(&doorbell);
    fixture_replace(directory, "vmstat", "z", 1);
    g_main_context_iteration(NULL, FALSE);
    CU_ASSERT_EQUAL(n_rings, 1);
    mn_doorbell_clear(&doorbell);
    fixture_remove(directory);
}

/* Nobody is kept from the kernel's word for ever because there was no descriptor to be had for once. */
static void test_without_descriptors_it_is_tried_again(void) {
    g_autoptr(MnProbe) probe = probe_new("/proc");
    struct rlimit all, none;
    MnDoorbell doorbell;

    mn_doorbell_init(&doorbell, probe, on_ring, NULL);
    getrlimit(RLIMIT_NOFILE, &all);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = all.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    mn_doorbell_start(&doorbell);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &all), ==, 0);
    CU_ASSERT(doorbell.pressure_fd < 0);
    CU_ASSERT_FALSE(doorbell.has_no_pressure);
    mn_doorbell_stop(&doorbell);

    mn_doorbell_start(&doorbell);
    CU_ASSERT(doorbell.pressure_fd >= 0 || access("/proc/pressure/memory", W_OK) < 0);
    mn_doorbell_clear(&doorbell);
}

static void test_no_kernels_word_about_another_machine(void) {
    char *directory = fixture_copy("debian-6.1");
    g_autoptr(MnProbe) probe = probe_new(directory);
    MnDoorbell doorbell;

    mn_doorbell_init(&doorbell, probe, on_ring, NULL);
    mn_doorbell_start(&doorbell);
    CU_ASSERT(doorbell.pressure_fd < 0);
    CU_ASSERT_EQUAL(open_descriptors("pressure"), 0);
    mn_doorbell_clear(&doorbell);
    fixture_remove(directory);
}

static MnProbe *group_probe_new(const char *directory) {
    MnProbe *probe = probe_new("/proc");
    const char *name;
    MnGroup *group;

    g_assert_cmpint(mn_group_new(directory, &group), ==, 0);
    g_assert_cmpint(mn_probe_set_group(probe, group, &name), ==, 0);
    return probe;
}

static void test_a_group_that_goes_and_comes_rings(void) {
    char *directory = plain_group_new(MN_CGROUP_V2);
    g_autofree char *other = g_strconcat(directory, "-other", NULL);
    g_autoptr(MnProbe) probe = group_probe_new(directory);
    MnDoorbell doorbell;

    n_rings = 0;
    mn_doorbell_init(&doorbell, probe, on_ring, NULL);
    doorbell.has_no_pressure = TRUE;
    mn_doorbell_start(&doorbell);
    plain_group_make(other, MN_CGROUP_V2);
    g_main_context_iteration(NULL, TRUE);
    plain_group_remove(other);
    g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n_rings, 0);

    plain_group_remove(directory);
    while (n_rings < 1)
        g_main_context_iteration(NULL, TRUE);
    plain_group_make(directory, MN_CGROUP_V2);
    while (n_rings < 2)
        g_main_context_iteration(NULL, TRUE);

    mn_doorbell_stop(&doorbell);
    plain_group_remove(directory);
    CU_ASSERT_FALSE(g_main_context_iteration(NULL, FALSE));
    mn_doorbell_clear(&doorbell);
    plain_group_free(directory);
}

/* As when a service is removed with the slice it was in, and both come back. */
static void test_the_directory_above_is_made_anew(void) {
    char *directory = plain_group_new(MN_CGROUP_V2);
    g_autofree char *parent = g_path_get_dirname(directory);
    g_autoptr(MnProbe) probe = group_probe_new(directory);
    MnDoorbell doorbell;

    n_rings = 0;
    mn_doorbell_init(&doorbell, probe, on_ring, NULL);
    doorbell.has_no_pressure = TRUE;
    mn_doorbell_start(&doorbell);
    plain_group_remove(directory);
    g_rmdir(parent);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    CU_ASSERT(n_rings > 0);

    CU_ASSERT_EQUAL_FATAL(g_mkdir(parent, 0755), 0);
    mn_doorbell_start(&doorbell); /* as each look does */
    n_rings = 0;
    plain_group_make(directory, MN_CGROUP_V2);
    while (n_rings == 0)
        g_main_context_iteration(NULL, TRUE);
    mn_doorbell_clear(&doorbell);
    plain_group_free(directory);
}

static CU_TestInfo tests[] = {
    { "a group that goes and comes rings", test_a_group_that_goes_and_comes_rings },
    { "the directory above is made anew", test_the_directory_above_is_made_anew },
    { "a changed file rings", test_a_changed_file_rings },
    { "without descriptors it is tried again", test_without_descriptors_it_is_tried_again },
    { "no kernel's word about another machine", test_no_kernels_word_about_another_machine },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "doorbell", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
