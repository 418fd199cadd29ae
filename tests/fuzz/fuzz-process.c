/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ranking.h"
#include "target.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void check_stat(const char *text, size_t size) {
    static const MnRankingScale scale = { .page_bytes = 4096, .ticks_per_second = 100, .now_ticks = 1000000 };
    g_autoptr(GString) line = g_string_new(NULL);
    MnCandidate candidate = { 0 };
    MnProcessStat stat;
    double points;

    if (mn_process_parse_stat(text, size, &stat) < 0)
        return;
    g_assert_cmpint(stat.pid, >, 0);
    points = mn_badness(&stat, FALSE, TRUE, &scale);
    g_assert_true(isfinite(points) && points >= 0);

    g_strlcpy(candidate.comm, stat.comm, sizeof candidate.comm);
    mn_candidate_render(&candidate, line);
    g_assert_true(strchr(line->str, '\n') == line->str + line->len - 1); /* one line, whatever its name */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    MnProcessStatus status;

    check_stat((const char *)data, size);
    if (mn_process_parse_status((const char *)data, size, &status) == 0)
        g_assert_cmpint(status.n_pids, >, 0);
    return 0;
}
