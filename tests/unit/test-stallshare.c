/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stalls that somebody has chosen: totals, and the averages that the kernel would show. */
#include "runner.h"
#include "core/stallshare.h"

#include <math.h>

#define S G_TIME_SPAN_SECOND
#define SOME MN_STALL_BIT(MN_STALL_SOME)
#define FULL MN_STALL_BIT(MN_STALL_FULL)

static const MnStalls measured = { { { .total_us = 5000 }, { .total_us = 3000 } } };

static MnStallChoice choice_of(guint chosen, guint some, guint full) {
    return (MnStallChoice){ .chosen = chosen, .percent = { some, full } };
}

static MnStalls shown_at(MnStallShare *self, gint64 now_us, const MnStalls *really) {
    MnStalls stalls = *really;

    mn_stall_share_apply(self, now_us, &stalls);
    return stalls;
}

static void test_totals_grow_by_the_share(void) {
    static const struct {
        guint chosen, some, full;
        guint64 some_us, full_us; /* in ten seconds */
    } rows[] = {
        { SOME, 20, 0, 2 * S, 0 },
        { SOME | FULL, 20, 5, 2 * S, S / 2 },
        { FULL, 0, 5, S / 2, S / 2 },         /* no less than full */
        { SOME | FULL, 5, 20, S / 2, S / 2 }, /* no more than some */
        { SOME | FULL, 0, 100, 0, 0 },
        { SOME | FULL, 100, 100, 10 * S, 10 * S },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnStallChoice choice = choice_of(rows[i].chosen, rows[i].some, rows[i].full);
        MnStallShare share = { 0 };
        MnStalls stalls;

        mn_stall_share_set(&share, &choice, S, &measured);
        for (gint64 us = 0; us < 10 * S; us += 1001) /* that somebody looks takes nothing away */
            shown_at(&share, S + us, &measured);
        stalls = shown_at(&share, 11 * S, &measured);
        CHECK(stalls.lines[MN_STALL_SOME].total_us == 5000 + rows[i].some_us, "row %u", i);
        CHECK(stalls.lines[MN_STALL_FULL].total_us == 3000 + rows[i].full_us, "row %u", i);
    }
}

static void test_totals_never_go_back(void) {
    MnStallChoice twenty = choice_of(SOME, 20, 0), none = choice_of(SOME, 0, 0), reset = { .measured = MN_ALL_STALLS };
    MnStalls really = measured;
    MnStallShare share = { 0 };

    mn_stall_share_set(&share, &twenty, S, &really);
    mn_stall_share_set(&share, &none, 11 * S, &really);
    CU_ASSERT_EQUAL(shown_at(&share, 21 * S, &really).lines[MN_STALL_SOME].total_us, 5000 + 2 * S);
    really.lines[MN_STALL_SOME].total_us += 7 * S; /* more than was chosen */
    mn_stall_share_set(&share, &reset, 21 * S, &really);
    CU_ASSERT_EQUAL(shown_at(&share, 21 * S, &really).lines[MN_STALL_SOME].total_us, 5000 + 2 * S);
    really.lines[MN_STALL_SOME].total_us += 11;
    CU_ASSERT_EQUAL(shown_at(&share, 22 * S, &really).lines[MN_STALL_SOME].total_us, 5000 + 2 * S + 11);
    mn_stall_share_set(&share, &twenty, 22 * S, &really);
    CU_ASSERT_EQUAL(shown_at(&share, 23 * S, &really).lines[MN_STALL_SOME].total_us, 5000 + 2 * S + 11 + S / 5);
}

static void test_nothing_chosen_is_what_is_measured(void) {
    MnStallShare share = { 0 };
    MnStalls stalls = measured;

    stalls.lines[MN_STALL_SOME].hundredths[0] = 1234;
    mn_stall_share_apply(&share, S, &stalls);
    CU_ASSERT_EQUAL(stalls.lines[MN_STALL_SOME].total_us, 5000);
    CU_ASSERT_EQUAL(stalls.lines[MN_STALL_SOME].hundredths[0], 1234);
}

/* After `seconds` of 20 % the average over `over_s` is 20 % * (1 - exp(-seconds / over_s)). */
static void check_averages(const MnStalls *stalls, guint seconds) {
    for (guint i = 0; i < MN_N_STALL_AVERAGES; i++) {
        double expected = 2000 * (1 - exp(-(double)seconds / mn_stall_average_s[i]));
        guint shown = stalls->lines[MN_STALL_SOME].hundredths[i];

        CHECK(fabs(shown - expected) <= 1, "avg%u after %u s: %u, not %.1f", mn_stall_average_s[i], seconds, shown,
              expected);
    }
}

static void test_averages(void) {
    static const guint seconds[] = { 0, 2, 4, 10, 60, 300, 86400 };
    MnStallChoice twenty = choice_of(SOME, 20, 0);

    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        MnStallShare seldom = { 0 }, often = { 0 };
        MnStalls stalls;

        mn_stall_share_set(&seldom, &twenty, S, &measured);
        mn_stall_share_set(&often, &twenty, S, &measured);
        for (guint s = 0; s < seconds[i]; s++)
            shown_at(&often, S + (gint64)s * S + S / 3, &measured);
        stalls = shown_at(&seldom, S + (gint64)seconds[i] * S, &measured);
        check_averages(&stalls, seconds[i]);
        stalls = shown_at(&often, S + (gint64)seconds[i] * S, &measured);
        check_averages(&stalls, seconds[i]);
    }
}

static void test_a_choice_within_a_period_counts_for_its_part(void) {
    MnStallChoice ten = choice_of(SOME, 10, 0), thirty = choice_of(SOME, 30, 0);
    MnStallShare share = { 0 };
    MnStalls stalls;

    mn_stall_share_set(&share, &ten, S, &measured);
    mn_stall_share_set(&share, &thirty, 2 * S, &measured);
    stalls = shown_at(&share, 3 * S, &measured);
    check_averages(&stalls, 2);
}

static CU_TestInfo tests[] = {
    { "totals grow by the share", test_totals_grow_by_the_share },
    { "totals never go back", test_totals_never_go_back },
    { "nothing chosen", test_nothing_chosen_is_what_is_measured },
    { "averages", test_averages },
    { "a choice within a period counts for its part", test_a_choice_within_a_period_counts_for_its_part },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "stallshare", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
