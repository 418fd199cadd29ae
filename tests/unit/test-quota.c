/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds what: shares, the reserve, and what is left to others. */
#include "quota/quota.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define OWNER 500

static MnQuota *quota;

static void set_up(void) {
    quota = mn_quota_new(OWNER, 800);
}

static void tear_down(void) {
    mn_quota_free(quota);
}

static int charge_of(uid_t uid, MnResource resource, guint64 n) {
    MnAccount *account = mn_quota_get_account(quota, uid);
    int r;

    r = mn_account_charge(account, resource, n);
    if (r < 0)
        mn_account_give_back(account); /* else it is kept with what is charged */
    return r;
}

static void refund_of(uid_t uid, MnResource resource, guint64 n) {
    MnAccount *account = mn_quota_get_account(quota, uid);

    mn_account_refund(account, resource, n);
    mn_account_give_back(account);
    mn_account_give_back(account);
}

static void test_share_of_a_user(void) {
    MnAccount *account = mn_quota_get_account(quota, 1000);

    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, MN_LIMITS_PER_USER_MAX - 1), 0);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, 2), -EDQUOT);
    CU_ASSERT_EQUAL(mn_account_get_used(account, MN_RESOURCE_LIMITS), MN_LIMITS_PER_USER_MAX - 1);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, 1), 0);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, 1), -EDQUOT);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, 0), 0);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_OPENS, 1), 0); /* another resource */

    mn_account_refund(account, MN_RESOURCE_LIMITS, MN_LIMITS_PER_USER_MAX);
    mn_account_refund(account, MN_RESOURCE_OPENS, 1);
    mn_account_give_back(account);
}

static void test_refusals_are_counted(void) {
    MnAccount *account = mn_quota_get_account(quota, 1000);

    CU_ASSERT_EQUAL(mn_quota_get_refused(quota, MN_RESOURCE_LIMITS), 0);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, MN_LIMITS_PER_USER_MAX), 0);
    CU_ASSERT_EQUAL(mn_account_charge(account, MN_RESOURCE_LIMITS, 1), -EDQUOT);
    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_LIMITS, 5, 9), -EDQUOT);
    CU_ASSERT_EQUAL(mn_account_check(account, MN_RESOURCE_LIMITS, 1), -EDQUOT); /* nobody has asked for it */
    CU_ASSERT_EQUAL(mn_quota_get_refused(quota, MN_RESOURCE_LIMITS), 2);
    CU_ASSERT_EQUAL(mn_quota_get_refused(quota, MN_RESOURCE_OPENS), 0);
    CU_ASSERT_EQUAL(strcmp(mn_resource_get_name(MN_RESOURCE_LIMITS), "limits"), 0);

    mn_account_refund(account, MN_RESOURCE_LIMITS, MN_LIMITS_PER_USER_MAX);
    mn_account_give_back(account);
}

static void test_change(void) {
    MnAccount *account = mn_quota_get_account(quota, 1000);

    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_BYTES, 0, MN_BYTES_PER_USER_MAX), 0);
    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_BYTES, 10, 11), -EDQUOT);
    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_BYTES, 10, 10), 0);
    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_BYTES, 10, 4), 0);
    CU_ASSERT_EQUAL(mn_account_get_used(account, MN_RESOURCE_BYTES), MN_BYTES_PER_USER_MAX - 6);
    CU_ASSERT_EQUAL(mn_account_change(account, MN_RESOURCE_BYTES, MN_BYTES_PER_USER_MAX - 6, 0), 0);
    mn_account_give_back(account);
}

/* Of 800 descriptors 100 are kept. Nobody may have more than what is left to the others. */
static void test_what_is_left_to_others(void) {
    static const uid_t users[] = { 1001, 1002, 1003, 1004 };
    static const guint shares[] = { 350, 175, 87, 44 };

    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        for (guint n = 0; n < shares[i]; n++)
            CHECK(charge_of(users[i], MN_RESOURCE_DESCRIPTORS, 1) == 0, "%u of %u", n, users[i]);
        CHECK(charge_of(users[i], MN_RESOURCE_DESCRIPTORS, 1) == -ENFILE, "%u", users[i]);
    }

    CU_ASSERT_EQUAL(charge_of(0, MN_RESOURCE_DESCRIPTORS, 100), 0);
    CU_ASSERT_EQUAL(charge_of(2000, MN_RESOURCE_DESCRIPTORS, 1), 0); /* nor has root taken it from them */
    refund_of(2000, MN_RESOURCE_DESCRIPTORS, 1);
    CU_ASSERT_EQUAL(charge_of(OWNER, MN_RESOURCE_DESCRIPTORS, 44), 0); /* and may have all that there is */
    CU_ASSERT_EQUAL(charge_of(OWNER, MN_RESOURCE_DESCRIPTORS, 1), -ENFILE);
    CU_ASSERT_EQUAL(charge_of(2000, MN_RESOURCE_DESCRIPTORS, 1), -ENFILE);

    refund_of(0, MN_RESOURCE_DESCRIPTORS, 100);
    refund_of(OWNER, MN_RESOURCE_DESCRIPTORS, 44);
    for (guint i = 0; i < G_N_ELEMENTS(users); i++)
        for (guint n = 0; n < shares[i]; n++) {
            MnAccount *account = mn_quota_get_account(quota, users[i]);

            mn_account_refund(account, MN_RESOURCE_DESCRIPTORS, 1);
            mn_account_give_back(account);
            mn_account_give_back(account);
        }
}

static void test_root_and_owner_have_no_share(void) {
    CU_ASSERT_EQUAL(charge_of(0, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 2), 0);
    CU_ASSERT_EQUAL(charge_of(OWNER, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 2), 0);
    CU_ASSERT_EQUAL(charge_of(OWNER, MN_RESOURCE_THRESHOLDS, 1), -EDQUOT);
    CU_ASSERT_EQUAL(charge_of(1000, MN_RESOURCE_THRESHOLDS, 1), -EDQUOT);
    refund_of(0, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 2);
    refund_of(OWNER, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 2);
}

/* Seventeen users with all they may have leave something to the next one, and to root. */
static void test_many_users_leave_room(void) {
    guint held[17] = { 0 };

    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        while (charge_of(1000 + i, MN_RESOURCE_THRESHOLDS, 1) == 0)
            held[i]++;
    CU_ASSERT_EQUAL(held[0], MEMNOTIFYFS_THRESHOLDS_PER_USER_MAX);
    CU_ASSERT_TRUE(held[16] > 0 && held[16] < held[15]);
    CU_ASSERT_EQUAL(charge_of(2000, MN_RESOURCE_THRESHOLDS, 1), 0);
    CU_ASSERT_EQUAL(charge_of(0, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 8), 0);

    refund_of(2000, MN_RESOURCE_THRESHOLDS, 1);
    refund_of(0, MN_RESOURCE_THRESHOLDS, MEMNOTIFYFS_THRESHOLDS_MAX / 8);
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        while (held[i]-- > 0)
            refund_of(1000 + i, MN_RESOURCE_THRESHOLDS, 1);
}

static void test_text(void) {
    g_autoptr(GString) text = g_string_new(NULL);

    CU_ASSERT_EQUAL(charge_of(2000, MN_RESOURCE_OPENS, 3), 0);
    CU_ASSERT_EQUAL(charge_of(1000, MN_RESOURCE_DESCRIPTORS, 2), 0);
    mn_quota_render(quota, text);
    CU_ASSERT_STRING_EQUAL(text->str,
                           "uid opens bytes limits thresholds registrations victims signals descriptors requests "
                           "triggers\n"
                           "1000 0 0 0 0 0 0 0 2 0 0\n"
                           "2000 3 0 0 0 0 0 0 0 0 0\n");
    refund_of(2000, MN_RESOURCE_OPENS, 3);
    refund_of(1000, MN_RESOURCE_DESCRIPTORS, 2);

    g_string_truncate(text, 0);
    mn_quota_render(quota, text);
    CU_ASSERT_PTR_NULL(strchr(text->str, '0')); /* whoever holds nothing is forgotten */
}

static void count(gpointer data) {
    ++*(guint *)data;
}

static void test_who_had_much_and_left(void) {
    guint n_left = 0;

    mn_quota_set_left(quota, count, &n_left);
    CU_ASSERT_EQUAL(charge_of(1000, MN_RESOURCE_OPENS, 1), 0);
    refund_of(1000, MN_RESOURCE_OPENS, 1);
    CU_ASSERT_EQUAL(n_left, 0);

    CU_ASSERT_EQUAL(charge_of(1000, MN_RESOURCE_BYTES, MN_BYTES_PER_USER_MAX), 0);
    CU_ASSERT_EQUAL(charge_of(1000, MN_RESOURCE_OPENS, 1), 0);
    refund_of(1000, MN_RESOURCE_BYTES, MN_BYTES_PER_USER_MAX);
    CU_ASSERT_EQUAL(n_left, 0);
    refund_of(1000, MN_RESOURCE_OPENS, 1);
    CU_ASSERT_EQUAL(n_left, 1);
}

static CU_TestInfo tests[] = {
    { "the share of a user", test_share_of_a_user },
    { "refusals are counted", test_refusals_are_counted },
    { "change", test_change },
    { "what is left to others", test_what_is_left_to_others },
    { "root and the owner have no share", test_root_and_owner_have_no_share },
    { "many users leave room", test_many_users_leave_room },
    { "who had much and left", test_who_had_much_and_left },
    { "text", test_text },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "quota", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
