/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom to end first. */
#include "ranking.h"

#include <math.h>
#include <stdlib.h>

double mn_badness(const MnProcessStat *stat, gboolean is_root, gboolean has_raw_io, const MnRankingScale *scale) {
    double cpu_s = (double)(stat->utime_ticks + stat->stime_ticks) / scale->ticks_per_second;
    double run_s = scale->now_ticks > stat->start_ticks
                       ? (double)(scale->now_ticks - stat->start_ticks) / scale->ticks_per_second
                       : 0;
    double points = (double)stat->vm_bytes / scale->page_bytes;

    points /= MAX(sqrt(cpu_s / 10), 1);
    points /= MAX(sqrt(sqrt(run_s / 1024)), 1);
    if (stat->nice > 0)
        points *= 2;
    if (is_root)
        points /= 4;
    if (has_raw_io)
        points /= 4;
    return points;
}

gboolean mn_candidate_is_eligible(const MnProcessStat *stat) {
    return stat->pid > 1 && !stat->is_kernel_thread && stat->vm_bytes > 0 && stat->state != 'Z' && stat->state != 'X';
}

static int compare(const void *left, const void *right) {
    const MnCandidate *a = left, *b = right;

    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    if (a->start_ticks != b->start_ticks)
        return a->start_ticks > b->start_ticks ? -1 : 1;
    return a->pid > b->pid ? -1 : a->pid < b->pid;
}

void mn_candidates_sort(MnCandidate *candidates, guint n) {
    if (n > 0)
        qsort(candidates, n, sizeof *candidates, compare);
}

void mn_candidate_render(const MnCandidate *candidate, GString *text) {
    g_string_append_printf(text, "%d %.3f %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " ", candidate->pid,
                           candidate->points, candidate->utime_ticks, candidate->stime_ticks);
    mn_comm_append(text, candidate->comm);
    g_string_append_c(text, '\n');
}

gboolean mn_ranking_is_young(gint64 cost_us, gint64 age_us) {
    return cost_us > MN_RANKING_SHORT_US && age_us < 9 * cost_us;
}
