/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events that wait for a client: compared with a queue that has room for all. */
#include "allocations.h"
#include "runner.h"
#include "socket/backlog.h"

#include <string.h>

/* The events, by their numbers, that should be there, and how many before them are lost. */
typedef struct Model {
    guint64 first;
    guint64 end;
    guint64 n_lost;
    guint room;
} Model;

static void add(MnBacklog *backlog, Model *model) {
    MnEvent event = {
        .time_us = (gint64)model->end, .value_pages = model->end, .limit_pages = 7, .word = MN_EVENT_REACHED
    };

    mn_backlog_add(backlog, &event);
    model->end++;
    if (model->end - model->first > model->room) {
        model->first++;
        model->n_lost++;
    }
}

static void grow(MnBacklog *backlog, Model *model, guint n_limits) {
    mn_backlog_grow(backlog, n_limits);
    model->room = MAX(model->room, mn_backlog_bytes(n_limits) / sizeof(MnEvent));
}

/* FALSE for none. */
static gboolean take(MnBacklog *backlog, Model *model) {
    char line[MEMNOTIFYFS_EVENT_LINE_MAX] = "", expected[MEMNOTIFYFS_EVENT_LINE_MAX] = "";
    gint64 time_us = (gint64)model->first;
    gsize len = mn_backlog_take(backlog, line);
    gboolean is_some = model->end > model->first;

    if (model->n_lost > 0)
        g_snprintf(expected, sizeof expected, "0.%06d - - lost %" G_GUINT64_FORMAT "\n", (int)time_us, model->n_lost);
    else if (is_some)
        g_snprintf(expected, sizeof expected, "0.%06d - %s reached %" G_GUINT64_FORMAT " 7\n", (int)time_us,
                   mn_meters[0].name, model->first++);
    model->n_lost = 0;
    CHECK(strcmp(line, expected) == 0 && len == strlen(expected), "'%s' instead of '%s'", line, expected);
    return is_some;
}

static void test_in_their_order(void) {
    MnBacklog backlog = { 0 };
    Model model = { 0 };

    CU_ASSERT_FALSE(take(&backlog, &model));
    grow(&backlog, &model, 1);
    CU_ASSERT_FALSE(take(&backlog, &model));
    for (guint n = 0; n < 3 * model.room; n++) {
        add(&backlog, &model);
        add(&backlog, &model);
        CU_ASSERT_TRUE(take(&backlog, &model));
        CU_ASSERT_TRUE(take(&backlog, &model));
    }
    CU_ASSERT_FALSE(take(&backlog, &model));
    mn_backlog_clear(&backlog);
    CU_ASSERT_EQUAL(mn_backlog_take(&backlog, (char[MEMNOTIFYFS_EVENT_LINE_MAX]){ 0 }), 0);
}

/* The newest are kept, and the line that says how many were lost comes before them. */
static void test_the_oldest_are_lost(void) {
    MnBacklog backlog = { 0 };
    Model model = { 0 };
    guint n = 0;

    grow(&backlog, &model, 20);
    CU_ASSERT_EQUAL(model.room, 40);
    for (guint i = 0; i < 40; i++)
        add(&backlog, &model);
    CU_ASSERT_EQUAL(model.n_lost, 0);
    for (guint i = 0; i < 100; i++)
        add(&backlog, &model);
    CU_ASSERT_EQUAL(model.n_lost, 100);
    while (take(&backlog, &model))
        n++;
    CU_ASSERT_EQUAL(n, 41);
    mn_backlog_clear(&backlog);
}

static void test_more_room_keeps_what_there_is(void) {
    MnBacklog backlog = { 0 };
    Model model = { 0 };

    for (guint n_limits = 1; n_limits < 100; n_limits += 7) {
        grow(&backlog, &model, n_limits);
        grow(&backlog, &model, 1); /* there is more already */
        for (guint i = 0; i < model.room + n_limits; i++)
            add(&backlog, &model);
        take(&backlog, &model);
        take(&backlog, &model);
    }
    while (take(&backlog, &model))
        continue;
    mn_backlog_clear(&backlog);
}

static void test_whatever_happens(void) {
    g_autoptr(GRand) random = g_rand_new_with_seed(16);
    MnBacklog backlog = { 0 };
    Model model = { 0 };

    grow(&backlog, &model, 1);
    for (guint i = 0; i < 50000; i++) {
        gint32 chosen = g_rand_int_range(random, 0, 1000);

        if (chosen == 0)
            grow(&backlog, &model, (guint)g_rand_int_range(random, 1, 60));
        else if (chosen < 520)
            add(&backlog, &model);
        else
            take(&backlog, &model);
    }
    mn_backlog_clear(&backlog);
}

static void test_nothing_is_allocated(void) {
    MnBacklog backlog = { 0 };
    Model model = { 0 };
    guint64 before;

    grow(&backlog, &model, 3);
    before = allocations();
    for (guint i = 0; i < 100; i++)
        add(&backlog, &model);
    CU_ASSERT_EQUAL(allocations(), before);
    mn_backlog_clear(&backlog);
}

static CU_TestInfo tests[] = {
    { "in their order", test_in_their_order },
    { "the oldest are lost", test_the_oldest_are_lost },
    { "more room keeps what there is", test_more_room_keeps_what_there_is },
    { "whatever happens", test_whatever_happens },
    { "nothing is allocated", test_nothing_is_allocated },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "backlog", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
