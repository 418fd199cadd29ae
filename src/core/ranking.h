/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/process.h"

/* The machine's measures that badness needs. */
typedef struct MnRankingScale {
    guint page_bytes;
    guint ticks_per_second;
    guint64 now_ticks; /* since boot */
} MnRankingScale;

/* How bad it is to keep a process: the formula of the kernel of 2005, in floating point.
 *
 *   pages of address space
 *     / square root of the CPU time in units of 10 s, at least 1
 *     / fourth root of the run time in units of 1024 s, at least 1
 *     x 2 if niced, / 4 if it is root's or may administer the system, / 4 if it has raw I/O
 *
 * "At least 1", because the original skipped a division by an integer root of 0. */
double mn_badness(const MnProcessStat *stat, gboolean is_root, gboolean has_raw_io, const MnRankingScale *scale);

/* One process that could be ended. */
typedef struct MnCandidate {
    double points;
    guint64 utime_ticks;
    guint64 stime_ticks;
    guint64 start_ticks;
    pid_t pid;
    char comm[MN_COMM_MAX + 1];
} MnCandidate;

/* Whether a process can be a candidate at all: not a kernel thread, not dead, not init, which the
 * kernel of 2005 left out too. */
gboolean mn_candidate_is_eligible(const MnProcessStat *stat);

/* Highest points first. Of equals the youngest, with which the least work is lost. */
void mn_candidates_sort(MnCandidate *candidates, guint n);

/* The most that the line of a candidate takes: four numbers of up to 20 digits, and the 15 bytes that a
 * program may have for a name, each as "\377". */
#define MN_RANKING_LINE_BYTES 192

/* Appends "PID POINTS UTIME STIME COMM\n": "4711 1373.625 17 5 bash\n". */
void mn_candidate_render(const MnCandidate *candidate, GString *text);

/* A ranking that takes longer than this is shown more than once. */
#define MN_RANKING_SHORT_US 10000

/* Whether a ranking that took cost_us and ended age_us ago may be shown again: where there are so many
 * processes that it takes long, it is to take up a tenth of the time at most, whoever asks how often. */
gboolean mn_ranking_is_young(gint64 cost_us, gint64 age_us);
