/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotifyfs: what is told, in which order, and that it comes right whatever was lost. */
#include "news.h"
#include "runner.h"

#include <string.h>

static struct news news;

static void add(uint32_t kind, const char *meter, uint64_t value) {
    struct memnotifyfs_event event = { .kind = kind, .time_us = 1, .value_pages = value, .limit_pages = 5 };

    g_strlcpy(event.meter, meter, sizeof event.meter);
    event.count = kind == MEMNOTIFYFS_LOST ? value : 0;
    news_add(&news, &event);
}

static void learn(const char *meter, bool is_reached) {
    struct news_limit limit = { .is_reached = is_reached, .time_us = 2, .value_pages = 77, .limit_pages = 5 };

    g_strlcpy(limit.meter, meter, sizeof limit.meter);
    news_learn(&news, &limit);
}

/* All there is, as "+used -used lost:3 back", where + is reached and - is left. */
static void check(const char *expected) {
    static const char *const names[] = { "?", "+", "-", "changed", "removed", "returned", "lost", "back", "last" };
    g_autoptr(GString) told = g_string_new(NULL);
    struct memnotifyfs_event event;

    while (news_take(&news, &event)) {
        g_string_append_printf(told, "%s%s%s", told->len > 0 ? " " : "", names[event.kind], event.meter);
        if (event.kind == MEMNOTIFYFS_LOST)
            g_string_append_printf(told, ":%" G_GUINT64_FORMAT, event.count);
    }
    CHECK(strcmp(told->str, expected) == 0, "expected '%s', was told '%s'", expected, told->str);
    CU_ASSERT(news_is_empty(&news));
}

static void test_crossings_in_their_order(void) {
    memset(&news, 0, sizeof news);
    check("");
    add(MEMNOTIFYFS_REACHED, "used", 1);
    add(MEMNOTIFYFS_REACHED, "free", 1);
    add(MEMNOTIFYFS_LEFT, "used", 1);
    CU_ASSERT(!news_is_empty(&news));
    CU_ASSERT(news_is_reached(&news, "free"));
    CU_ASSERT(!news_is_reached(&news, "used"));
    CU_ASSERT(!news_is_reached(&news, "nothing"));
    check("+used +free -used");
    add(MEMNOTIFYFS_TOTAL_CHANGED, "total", 1);
    add(MEMNOTIFYFS_REMOVED, "", 0);
    add(MEMNOTIFYFS_RETURNED, "", 0);
    check("changedtotal removed returned");
}

static void test_what_is_known_is_not_told_again(void) {
    memset(&news, 0, sizeof news);
    add(MEMNOTIFYFS_LEFT, "used", 1);
    add(MEMNOTIFYFS_REACHED, "used", 1);
    add(MEMNOTIFYFS_REACHED, "used", 1);
    check("+used");
    learn("used", true);
    check("");
    add(MEMNOTIFYFS_REACHED, "used", 1);
    check("");
}

static void test_a_state_is_told_where_it_is_another(void) {
    memset(&news, 0, sizeof news);
    learn("used", true);
    learn("free", false);
    check("+used");
    learn("used", false);
    learn("used", true);
    check("");
    learn("used", false);
    add(MEMNOTIFYFS_REACHED, "used", 1); /* back before anybody has looked */
    check("");
    add(MEMNOTIFYFS_LEFT, "used", 1);
    learn("used", true);
    check("-used +used");
}

static void test_a_reconnection_is_one_and_first(void) {
    memset(&news, 0, sizeof news);
    add(MEMNOTIFYFS_REACHED, "used", 1);
    check("+used");
    add(MEMNOTIFYFS_REACHED, "free", 1);
    news_add_reconnection(&news, 3);
    news_add_reconnection(&news, 4);
    learn("used", false);
    learn("free", true);
    check("back +free -used");
}

static void test_other_limits(void) {
    memset(&news, 0, sizeof news);
    add(MEMNOTIFYFS_REACHED, "used", 1);
    add(MEMNOTIFYFS_REMOVED, "", 1);
    add(MEMNOTIFYFS_LEFT, "used", 1);
    add(MEMNOTIFYFS_RETURNED, "", 1);
    add(MEMNOTIFYFS_REACHED, "free", 1);
    news_forget_limits(&news);
    CU_ASSERT(!news_is_reached(&news, "free"));
    learn("used", true);
    check("removed returned +used");
}

static void test_what_gets_lost(void) {
    memset(&news, 0, sizeof news);
    for (guint i = 0; i < NEWS_EVENTS_MAX / 2; i++) {
        add(MEMNOTIFYFS_REACHED, "used", 1);
        add(MEMNOTIFYFS_LEFT, "used", 1);
    }
    add(MEMNOTIFYFS_REACHED, "free", 1);
    check("lost:64 +free");
    add(MEMNOTIFYFS_REACHED, "used", 1);
    for (guint i = 0; i < NEWS_EVENTS_MAX / 2; i++) {
        add(MEMNOTIFYFS_LEFT, "free", 1);
        add(MEMNOTIFYFS_REACHED, "free", 1);
    }
    add(MEMNOTIFYFS_LOST, "", 7);
    check("lost:71 +used"); /* "free" is told as reached already */
}

static void test_more_meters_than_there_can_be(void) {
    char meter[] = "aa";
    struct memnotifyfs_event event;
    guint n = 0;

    memset(&news, 0, sizeof news);
    for (guint i = 0; i < NEWS_LIMITS_MAX + 5; i++) {
        meter[0] = (char)('a' + i % 26);
        meter[1] = (char)('a' + i / 26);
        learn(meter, true);
    }
    while (news_take(&news, &event))
        n++;
    CU_ASSERT_EQUAL(n, NEWS_LIMITS_MAX);
}

static CU_TestInfo tests[] = {
    { "crossings are told in their order", test_crossings_in_their_order },
    { "what is known is not told again", test_what_is_known_is_not_told_again },
    { "a state is told where it is another", test_a_state_is_told_where_it_is_another },
    { "several reconnections are one, and come first", test_a_reconnection_is_one_and_first },
    { "of limits that hold no more nothing is told", test_other_limits },
    { "what gets lost is counted, and the end is right", test_what_gets_lost },
    { "more meters than there can be", test_more_meters_than_there_can_be },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "news", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
