/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters and the texts that set them. */
#include "core/parameter.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static void test_presets(void) {
    MnParameters parameters;

    mn_parameters_init(&parameters);
    CU_ASSERT_EQUAL(parameters.update_period_ms, 10);
    CU_ASSERT_EQUAL(parameters.max_update_period_ms, 15000);
    CU_ASSERT_EQUAL(parameters.update_space_kib, 0);
    CU_ASSERT_EQUAL(parameters.fill_rate_mib, 8192);
}

static void test_names(void) {
    for (guint i = 0; i < MN_N_PARAMETERS; i++) {
        const char *name = mn_parameters[i].name;

        CHECK(mn_parameter_find(name, strlen(name)) == &mn_parameters[i], "%s", name);
        CHECK(mn_parameter_find(name, strlen(name) - 1) == NULL, "%s", name);
    }
    CU_ASSERT_PTR_NULL(mn_parameter_find("update_periods", 14));
    CU_ASSERT_PTR_NULL(mn_parameter_find("", 0));
}

static void test_each_has_its_own_place(void) {
    for (guint i = 0; i < MN_N_PARAMETERS; i++) {
        MnParameters parameters, before;

        mn_parameters_init(&parameters);
        before = parameters;
        CHECK(mn_parameters_set(&parameters, &mn_parameters[i], "777", 3, NULL) == 0, "%s", mn_parameters[i].name);
        for (guint j = 0; j < MN_N_PARAMETERS; j++)
            CHECK(mn_parameters_get(&parameters, &mn_parameters[j]) ==
                      (i == j ? 777 : mn_parameters_get(&before, &mn_parameters[j])),
                  "%s set, %s read", mn_parameters[i].name, mn_parameters[j].name);
    }
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_texts(void) {
    static const struct {
        const char *name;
        const char *text;
        gsize len;
        gint64 expected; /* -1: -EINVAL */
    } rows[] = {
        { "update_period", BYTES("250"), 250 },
        { "update_period", BYTES("250\n"), 250 },
        { "update_period", BYTES("250\0"), 250 },
        { "update_period", BYTES("0250"), 250 },
        { "update_period", BYTES("1"), 1 },
        { "update_period", BYTES("86400000"), 86400000 },
        { "update_period", BYTES("86400001"), -1 },
        { "update_period", BYTES("0"), -1 },
        { "max_update_period", BYTES("0"), -1 },
        { "max_update_period", BYTES("86400000"), 86400000 },
        { "update_space", BYTES("0"), 0 },
        { "update_space", BYTES("18014398509481983"), 18014398509481983 },
        { "update_space", BYTES("18014398509481984"), -1 },
        { "fill_rate", BYTES("0"), 0 },
        { "fill_rate", BYTES("1073741824"), 1 << 30 },
        { "fill_rate", BYTES("1073741825"), -1 },
        { "fill_rate", BYTES(""), -1 },
        { "fill_rate", BYTES("\n"), -1 },
        { "fill_rate", BYTES("\0"), -1 },
        { "fill_rate", BYTES("5\n\n"), -1 },
        { "fill_rate", BYTES("5\n\0"), -1 },
        { "fill_rate", BYTES(" 5"), -1 },
        { "fill_rate", BYTES("5 "), -1 },
        { "fill_rate", BYTES("5\0006"), -1 },
        { "fill_rate", BYTES("-5"), -1 },
        { "fill_rate", BYTES("+5"), -1 },
        { "fill_rate", BYTES("5M"), -1 },
        { "fill_rate", BYTES("0x5"), -1 },
        { "fill_rate", BYTES("5.0"), -1 },
        { "fill_rate", BYTES("x"), -1 },
        { "fill_rate", BYTES("5\xc3"), -1 },
        { "fill_rate", BYTES("18446744073709551616"), -1 },
        { "fill_rate", BYTES("18446744073709551621"), -1 },
        { "fill_rate", BYTES("99999999999999999999999999999999"), -1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const MnParameter *parameter = mn_parameter_find(rows[i].name, strlen(rows[i].name));
        g_autofree char *text = memcpy(g_malloc(rows[i].len + 1), rows[i].text, rows[i].len);
        MnParameters parameters, before;
        int r;

        memset(&before, 0x5a, sizeof before);
        parameters = before;
        r = mn_parameters_set(&parameters, parameter, text, rows[i].len, NULL);
        CHECK(r == (rows[i].expected < 0 ? -EINVAL : 0), "%s: %s", rows[i].name, rows[i].text);
        if (r < 0)
            CHECK(memcmp(&parameters, &before, sizeof before) == 0, "%s: %s", rows[i].name, rows[i].text);
        else
            CHECK(mn_parameters_get(&parameters, parameter) == (guint64)rows[i].expected, "%s: %s", rows[i].name,
                  rows[i].text);
    }
}

static void test_presets_are_in_range(void) {
    for (guint i = 0; i < MN_N_PARAMETERS; i++)
        CHECK(mn_parameters[i].min <= mn_parameters[i].preset && mn_parameters[i].preset <= mn_parameters[i].max, "%s",
              mn_parameters[i].name);
}

static CU_TestInfo tests[] = {
    { "presets", test_presets },
    { "a parameter is found by its whole name", test_names },
    { "setting one leaves the others", test_each_has_its_own_place },
    { "numbers are taken, all else is refused and changes nothing", test_texts },
    { "presets are in their range", test_presets_are_in_range },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "parameter", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
