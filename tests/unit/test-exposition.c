/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics as text, in both formats. */
#include "core/exposition.h"
#include "runner.h"

#include <string.h>

static const MnMetric used = { "used", MN_METRIC_GAUGE, "bytes", "What is used." };
static const MnMetric cpu = { "cpu", MN_METRIC_COUNTER, "seconds", "CPU time." };
static const MnMetric samples = { "samples", MN_METRIC_COUNTER, NULL, "Samples." };
static const MnMetric build = { "build", MN_METRIC_INFO, NULL, "The version." };

static void write_all(MnExposition *exposition) {
    static const MnLabel version = { "version", "1.2" };
    static const MnLabel two[] = { { "file", "oom" }, { "way", "poll" } };

    mn_exposition_begin(exposition, &build);
    mn_exposition_add(exposition, &version, 1, 1);
    mn_exposition_begin(exposition, &used);
    mn_exposition_add(exposition, NULL, 0, 4096);
    mn_exposition_begin(exposition, &samples);
    mn_exposition_add(exposition, two, 2, G_MAXUINT64);
    mn_exposition_begin(exposition, &cpu);
    mn_exposition_add_us(exposition, NULL, 0, 12000034);
    mn_exposition_end(exposition);
}

static void check_text(MnExpositionFormat format, const char *expected) {
    g_autoptr(GString) text = g_string_new(NULL);
    MnExposition exposition = { .text = text, .format = format };

    write_all(&exposition);
    CHECK(strcmp(text->str, expected) == 0, "%s", text->str);
}

static void test_openmetrics(void) {
    check_text(MN_EXPOSITION_OPENMETRICS, "# TYPE memnotifyfs_build info\n"
                                          "# HELP memnotifyfs_build The version.\n"
                                          "memnotifyfs_build_info{version=\"1.2\"} 1\n"
                                          "# TYPE memnotifyfs_used_bytes gauge\n"
                                          "# UNIT memnotifyfs_used_bytes bytes\n"
                                          "# HELP memnotifyfs_used_bytes What is used.\n"
                                          "memnotifyfs_used_bytes 4096\n"
                                          "# TYPE memnotifyfs_samples counter\n"
                                          "# HELP memnotifyfs_samples Samples.\n"
                                          "memnotifyfs_samples_total{file=\"oom\",way=\"poll\"} 18446744073709551615\n"
                                          "# TYPE memnotifyfs_cpu_seconds counter\n"
                                          "# UNIT memnotifyfs_cpu_seconds seconds\n"
                                          "# HELP memnotifyfs_cpu_seconds CPU time.\n"
                                          "memnotifyfs_cpu_seconds_total 12.000034\n"
                                          "# EOF\n");
}

static void test_text(void) {
    check_text(MN_EXPOSITION_TEXT, "# TYPE memnotifyfs_build_info gauge\n"
                                   "# HELP memnotifyfs_build_info The version.\n"
                                   "memnotifyfs_build_info{version=\"1.2\"} 1\n"
                                   "# TYPE memnotifyfs_used_bytes gauge\n"
                                   "# HELP memnotifyfs_used_bytes What is used.\n"
                                   "memnotifyfs_used_bytes 4096\n"
                                   "# TYPE memnotifyfs_samples_total counter\n"
                                   "# HELP memnotifyfs_samples_total Samples.\n"
                                   "memnotifyfs_samples_total{file=\"oom\",way=\"poll\"} 18446744073709551615\n"
                                   "# TYPE memnotifyfs_cpu_seconds_total counter\n"
                                   "# HELP memnotifyfs_cpu_seconds_total CPU time.\n"
                                   "memnotifyfs_cpu_seconds_total 12.000034\n");
}

static void test_label_values(void) {
    static const struct {
        const char *value;
        const char *expected;
    } rows[] = {
        { "", "" },
        { "low", "low" },
        { "{a=b},", "{a=b}," },
        { "say \"hi\"", "say \\\"hi\\\"" },
        { "C:\\n", "C:\\\\n" },
        { "\\\"", "\\\\\\\"" },
        { "two\nlines", "two\\nlines" },
        { "caf\xc3\xa9", "caf\xc3\xa9" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *expected = g_strdup_printf("memnotifyfs_used_bytes{name=\"%s\"} 5\n", rows[i].expected);
        MnExposition exposition = { .text = text, .format = MN_EXPOSITION_TEXT, .metric = &used };

        mn_exposition_add(&exposition, &(MnLabel){ "name", rows[i].value }, 1, 5);
        CHECK(strcmp(text->str, expected) == 0, "%s", text->str);
    }
}

static CU_TestInfo tests[] = {
    { "OpenMetrics 1.0.0", test_openmetrics },
    { "text 0.0.4", test_text },
    { "label values are escaped", test_label_values },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "exposition", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
