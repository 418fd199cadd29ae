/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header of a client -> the format that he is answered in. */
#include "accept.h"
#include "runner.h"

#include <string.h>

#define OPENMETRICS "application/openmetrics-text"
#define PROTOBUF "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

typedef struct Row {
    const char *value;
    MnExpositionFormat expected;
} Row;

static void check_rows(const Row *rows, guint n) {
    for (guint i = 0; i < n; i++) {
        MnExpositionFormat format = exp_accept(rows[i].value);

        CHECK(format == rows[i].expected, "%s", rows[i].value ? rows[i].value : "(none)");
    }
}

static void test_clients(void) {
    static const Row rows[] = {
        { OPENMETRICS ";version=1.0.0," OPENMETRICS ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          MN_EXPOSITION_OPENMETRICS }, /* Prometheus 2.42 */
        { PROTOBUF ";q=0.6," OPENMETRICS ";version=1.0.0;escaping=allow-utf-8;q=0.5," OPENMETRICS
                   ";version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                   "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
          MN_EXPOSITION_OPENMETRICS }, /* Prometheus 3 that takes native histograms */
        { OPENMETRICS ";version=1.0.0;escaping=allow-utf-8;q=0.6," OPENMETRICS
                      ";version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                      "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
          MN_EXPOSITION_OPENMETRICS },                                    /* Prometheus 3 */
        { "text/plain;version=0.0.4;q=1,*/*;q=0.1", MN_EXPOSITION_TEXT }, /* before 2.5 */
        { OPENMETRICS "; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", MN_EXPOSITION_TEXT },
        { "*/*", MN_EXPOSITION_TEXT }, /* curl */
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
          MN_EXPOSITION_TEXT }, /* Firefox */
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
          "application/signed-exchange;v=b3;q=0.7",
          MN_EXPOSITION_TEXT }, /* Chromium */
        { NULL, MN_EXPOSITION_TEXT },
        { "", MN_EXPOSITION_TEXT },
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_qualities(void) {
    static const Row rows[] = {
        { OPENMETRICS, MN_EXPOSITION_OPENMETRICS },
        { OPENMETRICS ", text/plain", MN_EXPOSITION_OPENMETRICS },
        { "text/plain, " OPENMETRICS, MN_EXPOSITION_OPENMETRICS },
        { "Application/OpenMetrics-Text; Version=1.0.0; Q=0.5", MN_EXPOSITION_OPENMETRICS },
        { "  " OPENMETRICS "  ;  q=0.5  ,  text/plain  ;  q=0.4  ", MN_EXPOSITION_OPENMETRICS },
        { OPENMETRICS ";q=0.5,text/plain;q=0.6", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=0.5,text/*;q=0.6", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=0.5,*/*;q=0.6", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=0.5,text/plain;q=0.4,text/*,*/*", MN_EXPOSITION_OPENMETRICS }, /* the exact one counts */
        { OPENMETRICS ";q=0.5,*/*,text/*,text/plain;q=0.4", MN_EXPOSITION_OPENMETRICS },
        { OPENMETRICS ";q=0", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=0,text/plain;q=0", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=0.000,*/*", MN_EXPOSITION_TEXT },
        { "application/*", MN_EXPOSITION_TEXT }, /* is what who did not name it may not understand */
        { "application/*,text/*;q=0.1", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";version=\"1.0.0\",text/plain;q=0.9", MN_EXPOSITION_OPENMETRICS },
        { OPENMETRICS ";version=2.0.0", MN_EXPOSITION_TEXT },
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_malformed(void) {
    static const Row rows[] = {
        { ",", MN_EXPOSITION_TEXT },
        { ";", MN_EXPOSITION_TEXT },
        { ",;,;;,", MN_EXPOSITION_TEXT },
        { "/", MN_EXPOSITION_TEXT },
        { "*", MN_EXPOSITION_TEXT },
        { "text", MN_EXPOSITION_TEXT },
        { OPENMETRICS "x", MN_EXPOSITION_TEXT },
        { "x" OPENMETRICS, MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=x", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=-1", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=nan", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";q=1,text/plain;q=nan", MN_EXPOSITION_OPENMETRICS },
        { OPENMETRICS ";version=", MN_EXPOSITION_TEXT },
        { OPENMETRICS ";;;=;q", MN_EXPOSITION_OPENMETRICS },
        { "\xff\xfe," OPENMETRICS, MN_EXPOSITION_OPENMETRICS },
    };

    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_long(void) {
    g_autoptr(GString) value = g_string_new(NULL);

    for (guint i = 0; i < 10000; i++)
        g_string_append(value, "a/b;c=d,");
    CU_ASSERT_EQUAL(exp_accept(value->str), MN_EXPOSITION_TEXT);
    g_string_append(value, OPENMETRICS);
    CU_ASSERT_EQUAL(exp_accept(value->str), MN_EXPOSITION_OPENMETRICS);
}

static void test_types(void) {
    CU_ASSERT_STRING_EQUAL(exp_accept_get_type(MN_EXPOSITION_OPENMETRICS),
                           OPENMETRICS "; version=1.0.0; charset=utf-8");
    CU_ASSERT_STRING_EQUAL(exp_accept_get_type(MN_EXPOSITION_TEXT), "text/plain; version=0.0.4; charset=utf-8");
}

static CU_TestInfo tests[] = {
    { "what clients send", test_clients },
    { "who is more welcome", test_qualities },
    { "what is not understood is skipped", test_malformed },
    { "a long one", test_long },
    { "types", test_types },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "accept", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
