/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_ranking: every process that could be ended, the worst first.
 *
 * Ranking is done once, when the file is opened: it looks at all processes, and who reads in small
 * pieces or goes back to the beginning is to pay for that only once and to see one order. */
#include "files/files.h"
#include "fs/open.h"

#include "source/process.h"

#define PAGE 4096

typedef struct OomRanking {
    MnOpen open;
    GString *text;
} OomRanking;

static int oom_ranking_open(MnOpen *open) {
    OomRanking *self = (OomRanking *)open;
    g_autoptr(GArray) candidates = NULL;
    int r;

    r = mn_process_rank(&candidates);
    if (r < 0)
        return r;

    self->text = g_string_new(NULL);
    for (guint i = 0; i < candidates->len; i++)
        mn_candidate_render(&g_array_index(candidates, MnCandidate, i), self->text);
    return 0;
}

static void oom_ranking_release(MnOpen *open) {
    g_string_free(((OomRanking *)open)->text, TRUE);
}

/* "4711 1373.625 17 5 bash\n" */
static int oom_ranking_read(MnOpen *open, GString *text) {
    const GString *ranking = ((OomRanking *)open)->text;

    g_string_append_len(text, ranking->str, ranking->len);
    return 0;
}

/* Room for all processes that there are, and as many that start before the file is opened. */
static gsize oom_ranking_size(const MnNode *node G_GNUC_UNUSED) {
    gsize bytes = (gsize)(mn_process_count() + 64) * MN_RANKING_LINE_BYTES;

    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* For tail, which reads backwards from there. */
static gsize oom_ranking_open_size(MnOpen *open) {
    return ((OomRanking *)open)->text->len;
}

static const MnFileOps oom_ranking_ops = {
    .open_bytes = sizeof(OomRanking),
    .size_now = oom_ranking_size,
    .open_size = oom_ranking_open_size,
    .open = oom_ranking_open,
    .release = oom_ranking_release,
    .read = oom_ranking_read,
};

void mn_oom_ranking_add(MnTree *tree, MnFilesContext *context) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), "oom_ranking", 0444, &oom_ranking_ops, context);
}
