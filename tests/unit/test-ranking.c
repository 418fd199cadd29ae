/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The badness of 2005. */
#include "core/ranking.h"
#include "runner.h"

#include <math.h>
#include <string.h>

#define HZ 100
#define NOW_S 1000000

static const MnRankingScale scale = { .page_bytes = 4096, .ticks_per_second = HZ, .now_ticks = NOW_S * HZ };

/* Each row differs from the first in one thing; the points are reckoned by hand. */
static void test_points(void) {
    static const struct {
        const char *what;
        guint64 pages;
        double utime_s, stime_s;
        guint64 run_s;
        gint nice;
        gboolean is_root, has_raw_io;
        double points;
    } rows[] = {
        { "new", 1000, 0, 0, 0, 0, 0, 0, 1000 },
        { "twice the size", 2000, 0, 0, 0, 0, 0, 0, 2000 },
        { "no memory", 0, 100, 100, 5000, 19, 0, 0, 0 },
        { "4 x 10 s of CPU time", 1000, 40, 0, 0, 0, 0, 0, 500 },
        { "user and system time are one", 1000, 15, 25, 0, 0, 0, 0, 500 },
        { "not a whole root", 1000, 20, 0, 0, 0, 0, 0, 707.106781 },
        { "less than 10 s do not count", 1000, 9.99, 0, 0, 0, 0, 0, 1000 },
        { "16 x 1024 s old", 1000, 0, 0, 16 * 1024, 0, 0, 0, 500 },
        { "2 x 1024 s old", 1000, 0, 0, 2048, 0, 0, 0, 840.896415 },
        { "less than 1024 s do not count", 1000, 0, 0, 1023, 0, 0, 0, 1000 },
        { "niced", 1000, 0, 0, 0, 1, 0, 0, 2000 },
        { "very niced", 1000, 0, 0, 0, 19, 0, 0, 2000 },
        { "favoured", 1000, 0, 0, 0, -20, 0, 0, 1000 },
        { "root's", 1000, 0, 0, 0, 0, 1, 0, 250 },
        { "with raw I/O", 1000, 0, 0, 0, 0, 0, 1, 250 },
        { "root's with raw I/O", 1000, 0, 0, 0, 0, 1, 1, 62.5 },
        { "all of it", 6400, 90, 70, 81 * 1024, 5, 1, 1, 6400 / 4.0 / 3 * 2 / 16 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnProcessStat stat = { .pid = 2,
                               .utime_ticks = rows[i].utime_s * HZ,
                               .stime_ticks = rows[i].stime_s * HZ,
                               .nice = rows[i].nice,
                               .start_ticks = (NOW_S - rows[i].run_s) * HZ,
                               .vm_bytes = rows[i].pages * 4096 };
        double points = mn_badness(&stat, rows[i].is_root, rows[i].has_raw_io, &scale);

        CHECK(fabs(points - rows[i].points) < 1e-5, "%s: %f instead of %f", rows[i].what, points, rows[i].points);
    }
}

/* Integers would give 333 for all of them. */
static void test_floating_point_tells_apart(void) {
    double last = INFINITY;

    for (guint s = 91; s < 150; s++) {
        MnProcessStat stat = { .utime_ticks = s * HZ, .start_ticks = NOW_S * HZ, .vm_bytes = 1000 * 4096 };
        double points = mn_badness(&stat, FALSE, FALSE, &scale);

        CHECK(points < last, "%u s: %f after %f", s, points, last);
        last = points;
    }
}

static void test_a_start_in_the_future_is_now(void) {
    MnProcessStat stat = { .start_ticks = (NOW_S + 5) * HZ, .vm_bytes = 4096 };

    CU_ASSERT_DOUBLE_EQUAL(mn_badness(&stat, FALSE, FALSE, &scale), 1, 1e-9);
}

static void test_who_is_eligible(void) {
    static const struct {
        pid_t pid;
        gboolean is_kernel_thread;
        char state;
        guint64 vm_bytes;
        gboolean is_eligible;
    } rows[] = {
        { 2, FALSE, 'S', 4096, TRUE }, { 1, FALSE, 'S', 4096, FALSE }, { 2, TRUE, 'S', 4096, FALSE },
        { 2, FALSE, 'Z', 0, FALSE },   { 2, FALSE, 'Z', 4096, FALSE }, { 2, FALSE, 'X', 4096, FALSE },
        { 2, FALSE, 'D', 4096, TRUE }, { 2, FALSE, 'T', 4096, TRUE },  { 2, FALSE, 'S', 0, FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnProcessStat stat = { .pid = rows[i].pid,
                               .is_kernel_thread = rows[i].is_kernel_thread,
                               .state = rows[i].state,
                               .vm_bytes = rows[i].vm_bytes };

        CHECK(mn_candidate_is_eligible(&stat) == rows[i].is_eligible, "row %u", i);
    }
}

static void test_order(void) {
    MnCandidate candidates[] = {
        { .pid = 10, .points = 1.5 },
        { .pid = 11, .points = 1e9 },
        { .pid = 12, .points = 1.25, .start_ticks = 100 },
        { .pid = 13, .points = 1.25, .start_ticks = 200 }, /* younger */
        { .pid = 14, .points = 1.25, .start_ticks = 200 },
        { .pid = 15, .points = 0 },
    };
    static const pid_t order[] = { 11, 10, 14, 13, 12, 15 };

    mn_candidates_sort(candidates, G_N_ELEMENTS(candidates));
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        CHECK(candidates[i].pid == order[i], "place %u: %d", i, candidates[i].pid);
    mn_candidates_sort(NULL, 0);
}

static void test_lines(void) {
    static const struct {
        MnCandidate candidate;
        const char *line;
    } rows[] = {
        { { .pid = 4711, .points = 1373.625, .utime_ticks = 17, .stime_ticks = 5, .comm = "bash" },
          "4711 1373.625 17 5 bash\n" },
        { { .pid = 2, .comm = "" }, "2 0.000 0 0 \n" },
        { { .pid = 2, .comm = " a b " }, "2 0.000 0 0  a b \n" },
        { { .pid = 2, .comm = "\n1 9 0 0 x" }, "2 0.000 0 0 \\n1 9 0 0 x\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        mn_candidate_render(&rows[i].candidate, text);
        CHECK(strcmp(text->str, rows[i].line) == 0, "'%s'", text->str);
    }
}

static void test_the_longest_line_has_room(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    MnCandidate candidate = { .pid = G_MAXINT32,
                              .points = (double)G_MAXUINT64 / 4096 * 2,
                              .utime_ticks = G_MAXUINT64,
                              .stime_ticks = G_MAXUINT64 };

    memset(candidate.comm, '\x1b', 15); /* what a program can choose */
    mn_candidate_render(&candidate, text);
    CHECK(text->len <= MN_RANKING_LINE_BYTES, "%zu", text->len);
}

static void test_how_long_a_ranking_is_shown(void) {
    CU_ASSERT_FALSE(mn_ranking_is_young(0, 0)); /* none was made yet */
    CU_ASSERT_FALSE(mn_ranking_is_young(MN_RANKING_SHORT_US, 0));
    CU_ASSERT_TRUE(mn_ranking_is_young(MN_RANKING_SHORT_US + 1, 0));
    CU_ASSERT_TRUE(mn_ranking_is_young(100000, 899999));
    CU_ASSERT_FALSE(mn_ranking_is_young(100000, 900000));
}

static CU_TestInfo tests[] = {
    { "points", test_points },
    { "floating point tells apart", test_floating_point_tells_apart },
    { "a start in the future is now", test_a_start_in_the_future_is_now },
    { "who is eligible", test_who_is_eligible },
    { "highest first, of equals the youngest", test_order },
    { "lines", test_lines },
    { "how long a ranking is shown", test_how_long_a_ranking_is_shown },
    { "the longest line has room", test_the_longest_line_has_room },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "ranking", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
