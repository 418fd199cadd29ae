/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why each user's last writes were refused. */
#include "fs/refusals.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

static void add(MnRefusals *refusals, uid_t uid, const char *text, const char *reason) {
    MnFault fault = { 0 };
    MnRefusal refusal = { .time_us = 3086214406,
                          .path = "thresholds/low",
                          .error = -EDQUOT,
                          .fault = &fault,
                          .text = text,
                          .len = strlen(text) };

    if (reason)
        refusal.error = mn_fault_set(&fault, 0, "%s", reason);
    mn_refusals_add(refusals, uid, &refusal);
}

static char *read_of(const MnRefusals *refusals, uid_t uid) {
    GString *text = g_string_new(NULL);

    mn_refusals_render(refusals, uid, text);
    return g_string_free(text, FALSE);
}

static guint count_of(const MnRefusals *refusals, uid_t uid) {
    g_autofree char *text = read_of(refusals, uid);
    g_auto(GStrv) parts = g_strsplit(text, "thresholds/low: ", -1);

    return g_strv_length(parts) > 0 ? g_strv_length(parts) - 1 : 0;
}

static void test_a_refusal_is_shown(void) {
    g_autoptr(MnRefusals) refusals = mn_refusals_new();
    g_autofree char *text = NULL;

    add(refusals, 1000, "usd 80%\n", "there is no meter of that name");
    add(refusals, 1000, "used 5\n", NULL);
    text = read_of(refusals, 1000);
    CU_ASSERT_STRING_EQUAL(text, "3086.214406 thresholds/low: there is no meter of that name\n"
                                 "    usd 80%\n"
                                 "    ^\n"
                                 "3086.214406 thresholds/low: Disk quota exceeded\n"
                                 "    used 5\n");
}

static void test_each_has_his_own(void) {
    g_autoptr(MnRefusals) refusals = mn_refusals_new();

    add(refusals, 1000, "usd 80%\n", "wrong");
    CU_ASSERT_EQUAL(count_of(refusals, 1000), 1);
    CU_ASSERT_EQUAL(count_of(refusals, 1001), 0);
    CU_ASSERT_EQUAL(count_of(refusals, 0), 0);
}

static void test_the_last_are_kept(void) {
    g_autoptr(MnRefusals) refusals = mn_refusals_new();
    g_autofree char *text = NULL;

    for (guint i = 0; i < 3 * MN_REFUSALS_OF_USER + 1; i++) {
        g_autofree char *written = g_strdup_printf("used x%u.", i);

        add(refusals, 1000, written, "wrong");
    }
    text = read_of(refusals, 1000);
    CU_ASSERT_EQUAL(count_of(refusals, 1000), MN_REFUSALS_OF_USER);
    CU_ASSERT_PTR_NULL(strstr(text, "x16."));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "x17."));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "x24."));
    CU_ASSERT_TRUE(strstr(text, "x17.") < strstr(text, "x24."));
}

static void test_who_was_refused_longest_ago_makes_room(void) {
    g_autoptr(MnRefusals) refusals = mn_refusals_new();

    for (guint i = 0; i < MN_REFUSALS_USERS; i++)
        add(refusals, 1000 + i, "usd 5", "wrong");
    add(refusals, 1000, "usd 6", "wrong"); /* no longer the one */
    CU_ASSERT_EQUAL(count_of(refusals, 1001), 1);
    add(refusals, 5000, "usd 5", "wrong");
    CU_ASSERT_EQUAL(count_of(refusals, 1001), 0);
    CU_ASSERT_EQUAL(count_of(refusals, 1000), 2);
    CU_ASSERT_EQUAL(count_of(refusals, 1002), 1);
    CU_ASSERT_EQUAL(count_of(refusals, 5000), 1);
}

static void test_no_refusal_is_longer_than_is_said(void) {
    g_autoptr(MnRefusals) refusals = mn_refusals_new();
    g_autofree char *reason = g_strnfill(1000, 'x');
    g_autofree char *name = g_strnfill(64, 'n');
    g_autofree char *path = g_strdup_printf("thresholds/%s", name);
    g_autofree char *shown = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    MnFault fault;
    MnRefusal refusal = { .time_us = G_MAXINT64, .path = path, .fault = &fault };

    while (text->len < 4096)
        g_string_append(text, "\363\240\200\201"); /* a character that is shown as 16 */
    refusal.text = text->str;
    refusal.len = text->len;
    refusal.error = mn_fault_set(&fault, 4000, "%s", reason);
    mn_refusals_add(refusals, 1000, &refusal);
    shown = read_of(refusals, 1000);
    CHECK(strlen(shown) <= MN_REFUSAL_BYTES, "%zu", strlen(shown));
}

static CU_TestInfo tests[] = {
    { "a refusal is shown", test_a_refusal_is_shown },
    { "each has his own", test_each_has_his_own },
    { "the last are kept", test_the_last_are_kept },
    { "who was refused longest ago makes room", test_who_was_refused_longest_ago_makes_room },
    { "no refusal is longer than is said", test_no_refusal_is_longer_than_is_said },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "refusals", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
