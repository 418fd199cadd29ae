/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose a subordinate id is. */
#include "core/subid.h"
#include "runner.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n"
                             "bob:x:1001:1001::/home/bob:/bin/sh\n"
                             "broken\n"
                             "nan:x:many:0::/:/bin/sh\n";

static const char subuid[] = "bob:200000:1000\n"
                             "alice:100000:65536\n"
                             "1002:300000:10\n"
                             "alice:400000:1\n"
                             "\n"
                             "# no comment, by subuid(5)\n"
                             "carol:500000:100\n"
                             "carol:600000:100\n"
                             "dave:700000:0\n"
                             "dave:700000\n"
                             "dave:x:7\n"
                             ":700000:7\n"
                             "root:800000:65536\n"
                             "eve:4294967290:100";

static void test_users(void) {
    static const struct {
        uid_t uid;
        uid_t user;
        uid_t first;
    } rows[] = {
        { 0, 0, 0 },
        { 1000, 1000, 1000 },
        { 99999, 99999, 99999 },
        { 100000, 1000, 100000 },
        { 165535, 1000, 100000 },
        { 165536, 165536, 165536 },
        { 200000, 1001, 200000 },
        { 200999, 1001, 200000 },
        { 201000, 201000, 201000 },
        { 300009, 1002, 300000 },
        { 400000, 1000, 400000 }, /* a second range */
        { 400001, 400001, 400001 },
        { 500099, 500000, 500000 }, /* whom passwd does not have */
        { 600099, 500000, 600000 }, /* is one user nevertheless */
        { 700000, 700000, 700000 },
        { 800001, 0, 800000 },
        { 4294967294, 4294967290, 4294967290 },
    };
    g_autoptr(MnSubids) subids = mn_subids_new(subuid, passwd);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(mn_subids_find_user(subids, rows[i].uid) == rows[i].user, "%u", rows[i].uid);
        CHECK(mn_subids_find_first(subids, rows[i].uid) == rows[i].first, "%u", rows[i].uid);
    }
}

static void test_nothing(void) {
    g_autoptr(MnSubids) subids = mn_subids_new("", "");

    CU_ASSERT_EQUAL(mn_subids_find_user(subids, 100000), 100000);
    CU_ASSERT_EQUAL(mn_subids_find_first(subids, 100000), 100000);
}

static CU_TestInfo tests[] = {
    { "users", test_users },
    { "nothing", test_nothing },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "subid", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
