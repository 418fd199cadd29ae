/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose list comes first, and what is left of the others when one changes. Letters are processes. */
#include "oom/roster.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define OWNER 5
#define ALICE 1001
#define BOB 1002
#define LETTERS 26

static MnVictim victims[LETTERS];

static void begin(void) {
    for (guint i = 0; i < LETTERS; i++)
        victims[i] = (MnVictim){ .place = MN_NO_PLACE };
}

static void replace(MnRoster *roster, uid_t uid, const char *letters) {
    g_autoptr(GArray) listings = g_array_new(FALSE, FALSE, sizeof(MnListing));

    for (; *letters; letters++) {
        MnListing listing = { .victim = &victims[*letters - 'a'],
                              .writer = { .opener_uid = uid, .uid = uid },
                              .number = *letters };

        g_array_append_val(listings, listing);
    }
    CU_ASSERT_EQUAL(mn_roster_replace(roster, uid, listings), 0);
}

/* All of them, in order; each knows its place and who has listed it. */
static char *merged(MnRoster *roster) {
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < LETTERS; i++)
        victims[i].place = MN_NO_PLACE;
    mn_roster_merge(roster, list);
    for (guint i = 0; i < list->len; i++) {
        const MnVictim *victim = g_ptr_array_index(list, i);

        CU_ASSERT_EQUAL(victim->place, i);
        g_string_append_c(text, 'a' + (victim - victims));
    }
    return g_string_free(text, FALSE);
}

static char *own(MnRoster *roster, uid_t uid) {
    const GArray *list = mn_roster_get(roster, uid);
    GString *text = g_string_new(NULL);

    for (guint i = 0; list && i < list->len; i++)
        g_string_append_c(text, g_array_index(list, MnListing, i).number);
    return g_string_free(text, FALSE);
}

static void test_order(void) {
    static const struct {
        uid_t uid;
        const char *letters;
        const char *expected;
    } rows[] = {
        { ALICE, "ab", "ab" },     { BOB, "cd", "abcd" },     { 0, "z", "zabcd" },    { OWNER, "x", "zxabcd" },
        { 0, "y", "yxabcd" },      { ALICE, "ba", "yxbacd" },                         /* she keeps her place */
        { 0, "", "xbacd" },        { ALICE, "", "xcd" },      { ALICE, "a", "xcda" }, /* and has lost it by that */
        { 0, "z", "zxcda" },                                                          /* not so root */
        { OWNER, "", "zcda" },     { OWNER, "w", "zwcda" },   { BOB, "", "zwa" },     { BOB, "", "zwa" },
        { 0, "azw", "azw" }, /* each counts where it comes first */
        { OWNER, "wbx", "azwbx" }, { 0, "", "wbxa" },         { OWNER, "", "a" },     { ALICE, "", "" },
    };
    g_autoptr(MnQuota) quota = mn_quota_new(OWNER, 10000);
    g_autoptr(MnRoster) roster = mn_roster_new(quota);

    begin();
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *list = NULL, *users = NULL;

        replace(roster, rows[i].uid, rows[i].letters);
        list = merged(roster);
        users = own(roster, rows[i].uid);
        CHECK(strcmp(list, rows[i].expected) == 0, "%u: %s", i, list);
        CHECK(strcmp(users, rows[i].letters) == 0, "%u: %s", i, users);
    }
}

/* By his rights it is ended. */
static void test_the_first_who_has_listed_it_is_its_writer(void) {
    static const struct {
        uid_t uid;
        const char *letters;
        uid_t expected;
    } rows[] = { { ALICE, "a", ALICE }, { BOB, "a", ALICE }, { 0, "ba", 0 }, { ALICE, "", 0 }, { 0, "b", BOB } };
    g_autoptr(MnQuota) quota = mn_quota_new(OWNER, 10000);
    g_autoptr(MnRoster) roster = mn_roster_new(quota);

    begin();
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *list = NULL;

        replace(roster, rows[i].uid, rows[i].letters);
        list = merged(roster);
        CHECK(strchr(list, 'a') && victims[0].writer.uid == rows[i].expected, "%u: %u", i, victims[0].writer.uid);
    }
}

static void test_who_has_ended_is_on_no_list(void) {
    g_autoptr(MnQuota) quota = mn_quota_new(OWNER, 10000);
    g_autoptr(MnRoster) roster = mn_roster_new(quota);
    g_autofree char *list = NULL, *alices = NULL, *later = NULL;

    begin();
    replace(roster, ALICE, "abc");
    replace(roster, BOB, "b");
    replace(roster, 0, "bd");
    victims[1].has_ended = TRUE;
    mn_roster_drop_ended(roster);
    list = merged(roster);
    alices = own(roster, ALICE);
    CU_ASSERT_STRING_EQUAL(list, "dac");
    CU_ASSERT_STRING_EQUAL(alices, "ac");
    CU_ASSERT_PTR_NULL(mn_roster_get(roster, BOB));

    victims[0].has_ended = victims[2].has_ended = TRUE; /* all that she has: her place is lost */
    replace(roster, BOB, "e");
    mn_roster_drop_ended(roster);
    replace(roster, ALICE, "f");
    later = merged(roster);
    CU_ASSERT_STRING_EQUAL(later, "def");
}

static void test_who_is_privileged(void) {
    g_autoptr(MnQuota) quota = mn_quota_new(OWNER, 10000);
    g_autoptr(MnRoster) roster = mn_roster_new(quota);

    CU_ASSERT_TRUE(mn_roster_is_privileged(roster, 0));
    CU_ASSERT_TRUE(mn_roster_is_privileged(roster, OWNER));
    CU_ASSERT_FALSE(mn_roster_is_privileged(roster, ALICE));
    CU_ASSERT_FALSE(mn_roster_is_privileged(roster, (uid_t)-1));
}

static void test_how_many(void) {
    static MnVictim many[MN_VICTIMS_PER_USER_MAX + 1];
    g_autoptr(MnQuota) quota = mn_quota_new(OWNER, 10000);
    g_autoptr(MnRoster) roster = mn_roster_new(quota);
    g_autoptr(GArray) listings = g_array_new(FALSE, FALSE, sizeof(MnListing));
    MnAccount *account = mn_quota_get_account(quota, ALICE);

    for (guint i = 0; i < G_N_ELEMENTS(many); i++) {
        MnListing listing = { .victim = &many[i] };

        g_array_append_val(listings, listing);
    }
    CU_ASSERT_EQUAL(mn_roster_check(roster, ALICE, listings->len), -EDQUOT);
    CU_ASSERT_EQUAL(mn_roster_replace(roster, ALICE, listings), -EDQUOT);
    CU_ASSERT_PTR_NULL(mn_roster_get(roster, ALICE));
    CU_ASSERT_EQUAL(mn_roster_replace(roster, OWNER, listings), 0);

    g_array_set_size(listings, MN_VICTIMS_PER_USER_MAX);
    CU_ASSERT_EQUAL(mn_roster_replace(roster, ALICE, listings), 0);
    CU_ASSERT_EQUAL(mn_account_get_used(account, MN_RESOURCE_DESCRIPTORS), 2 * MN_VICTIMS_PER_USER_MAX);
    CU_ASSERT_EQUAL(mn_roster_check(roster, ALICE, MN_VICTIMS_PER_USER_MAX), 0); /* others in their place */

    many[0].has_ended = TRUE;
    mn_roster_drop_ended(roster);
    CU_ASSERT_EQUAL(mn_account_get_used(account, MN_RESOURCE_VICTIMS), MN_VICTIMS_PER_USER_MAX - 1);
    g_array_set_size(listings, 0);
    CU_ASSERT_EQUAL(mn_roster_replace(roster, ALICE, listings), 0);
    CU_ASSERT_EQUAL(mn_account_get_used(account, MN_RESOURCE_DESCRIPTORS), 0);
    mn_account_give_back(account);
}

static CU_TestInfo tests[] = {
    { "root's, the owner's, then by who wrote first", test_order },
    { "the first who has listed it is its writer", test_the_first_who_has_listed_it_is_its_writer },
    { "who has ended is on no list", test_who_has_ended_is_on_no_list },
    { "who is privileged", test_who_is_privileged },
    { "how many", test_how_many },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "roster", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
