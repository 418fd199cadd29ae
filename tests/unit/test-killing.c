/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which signal is due, and when to look again. Moments are milliseconds here. */
#include "core/killing.h"
#include "runner.h"

#define GRACE 3000

static void test_steps(void) {
    static const struct {
        const char *what;
        gint64 now, last, terminated, killed;
        gboolean has_next, is_low;
        MnKillingStep step;
        gint64 again;
    } rows[] = {
        { "low, and nobody there", 10000, 0, 0, 0, 0, 1, MN_KILLING_WAIT, 0 },
        { "the first", 10000, 0, 0, 0, 1, 1, MN_KILLING_TERMINATE, 10250 },
        { "not low (any more)", 10000, 0, 0, 0, 1, 0, MN_KILLING_WAIT, 10250 },
        { "in the grace", 12999, 10000, 10000, 0, 1, 1, MN_KILLING_WAIT, 13000 },
        { "in the grace, and the last of all", 12999, 10000, 10000, 0, 0, 1, MN_KILLING_WAIT, 13000 },
        { "the grace is over", 13000, 10000, 10000, 0, 1, 1, MN_KILLING_KILL, 13250 },
        { "the grace is long over", 60000, 10000, 10000, 0, 0, 1, MN_KILLING_KILL, 60250 },
        { "spared after the grace", 13000, 10000, 10000, 0, 1, 0, MN_KILLING_WAIT, 13250 },
        { "it is gone, the next is too soon", 14999, 10000, 0, 0, 1, 1, MN_KILLING_WAIT, 15000 },
        { "it is gone, five seconds later", 15000, 10000, 0, 0, 1, 1, MN_KILLING_TERMINATE, 15250 },
        { "it is gone, and memory is back", 15000, 10000, 0, 0, 1, 0, MN_KILLING_WAIT, 15250 },
        { "killed and not yet gone", 17999, 10000, 10000, 13000, 1, 1, MN_KILLING_WAIT, 18000 },
        { "killed and never gone", 18000, 10000, 10000, 13000, 1, 1, MN_KILLING_TERMINATE, 18250 },
        { "killed and never gone, nobody else", 18000, 10000, 10000, 13000, 0, 1, MN_KILLING_WAIT, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnKilling killing = { .now_us = rows[i].now * 1000,
                              .last_us = rows[i].last * 1000,
                              .terminated_us = rows[i].terminated * 1000,
                              .killed_us = rows[i].killed * 1000,
                              .has_next = rows[i].has_next,
                              .is_low = rows[i].is_low,
                              .grace_ms = GRACE };
        gint64 again = -1;
        MnKillingStep step = mn_killing_next(&killing, &again);

        CHECK(step == rows[i].step, "%s: step %d", rows[i].what, step);
        CHECK(again == rows[i].again * 1000, "%s: again at %" G_GINT64_FORMAT, rows[i].what, again);
    }
}

/* A machine that stays low, with processes that ignore SIGTERM: run by the moments that are asked for. */
static void test_one_at_a_time(void) {
    MnKilling killing = { .now_us = 1000000, .is_low = TRUE, .has_next = TRUE, .grace_ms = GRACE };
    gint64 terminated_at[4], killed_at[4];
    guint n_terminated = 0, n_killed = 0, rounds = 0;

    while (n_killed < 4 && rounds++ < 1000) {
        gint64 again;

        switch (mn_killing_next(&killing, &again)) {
        case MN_KILLING_TERMINATE:
            CU_ASSERT_EQUAL_FATAL(n_terminated, n_killed); /* nobody else is being ended */
            terminated_at[n_terminated++] = killing.last_us = killing.terminated_us = killing.now_us;
            break;
        case MN_KILLING_KILL:
            killed_at[n_killed++] = killing.now_us;
            killing.terminated_us = 0; /* and is gone at once */
            break;
        default:
            break;
        }
        CU_ASSERT_FATAL(again > killing.now_us);
        killing.now_us = again;
    }

    CU_ASSERT_EQUAL(n_killed, 4);
    for (guint i = 0; i < n_killed; i++) {
        CHECK(killed_at[i] - terminated_at[i] >= GRACE * 1000, "grace of %u", i);
        CHECK(i == 0 || terminated_at[i] - terminated_at[i - 1] >= MN_KILLING_APART_MS * 1000, "apart %u", i);
        CHECK(i == 0 || terminated_at[i] - terminated_at[i - 1] < (MN_KILLING_APART_MS + 300) * 1000, "late %u", i);
    }
}

static CU_TestInfo tests[] = {
    { "steps", test_steps },
    { "one at a time, five seconds apart", test_one_at_a_time },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "killing", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
