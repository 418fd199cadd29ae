/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a moment due before its time. */
#include "board/doorbell.h"
#include "descriptors.h"
#include "fixture.h"
#include "runner.h"

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

static CU_TestInfo tests[] = {
    { "a changed file rings", test_a_changed_file_rings },
    { "without descriptors it is tried again", test_without_descriptors_it_is_tried_again },
    { "no kernel's word about another machine", test_no_kernels_word_about_another_machine },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "doorbell", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
