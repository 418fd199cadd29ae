/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_ranking: every process that could be ended, the worst first.
 *
 * Ranking is done once, when the file is opened: it looks at all processes, and who reads in small
 * pieces or goes back to the beginning is to pay for that only once and to see one order. Everybody
 * else waits meanwhile; so where it takes long, who opens the file soon after gets the same text. */
#include "files/files.h"
#include "fs/open.h"

#include "source/process.h"

#define PAGE 4096

/* The node's data: the last ranking. */
typedef struct OomRankingFile {
    GBytes *text; /* NULL before the first */
    gint64 ended_us;
    gint64 cost_us;
} OomRankingFile;

typedef struct OomRanking {
    MnOpen open;
    GBytes *text;
} OomRanking;

static int rank(OomRankingFile *self) {
    gint64 began_us = g_get_monotonic_time();
    g_autoptr(GArray) candidates = NULL;
    GString *text;
    int r;

    r = mn_process_rank(&candidates);
    if (r < 0)
        return r;

    text = g_string_new(NULL);
    for (guint i = 0; i < candidates->len; i++)
        mn_candidate_render(&g_array_index(candidates, MnCandidate, i), text);
    g_clear_pointer(&self->text, g_bytes_unref);
    self->text = g_string_free_to_bytes(text);
    self->ended_us = g_get_monotonic_time();
    self->cost_us = self->ended_us - began_us;
    return 0;
}

static int oom_ranking_open(MnOpen *open) {
    OomRankingFile *file = open->node->data;
    int r;

    if (!mn_ranking_is_young(file->cost_us, g_get_monotonic_time() - file->ended_us)) {
        r = rank(file);
        if (r < 0)
            return r;
    }
    ((OomRanking *)open)->text = g_bytes_ref(file->text);
    return 0;
}

static void oom_ranking_release(MnOpen *open) {
    g_bytes_unref(((OomRanking *)open)->text);
}

/* "4711 1373.625 17 5 bash\n" */
static int oom_ranking_read(MnOpen *open, GString *text) {
    gsize len;
    const char *ranking = g_bytes_get_data(((OomRanking *)open)->text, &len);

    g_string_append_len(text, ranking, len);
    return 0;
}

/* Room for all processes that there are, and as many that start before the file is opened. */
static gsize oom_ranking_size(const MnNode *node G_GNUC_UNUSED) {
    gsize bytes = (gsize)(mn_process_count() + 64) * MN_RANKING_LINE_BYTES;

    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* For tail, which reads backwards from there. */
static gsize oom_ranking_open_size(MnOpen *open) {
    return g_bytes_get_size(((OomRanking *)open)->text);
}

static void oom_ranking_free_data(gpointer data) {
    OomRankingFile *file = data;

    g_clear_pointer(&file->text, g_bytes_unref);
    g_free(file);
}

static const MnFileOps oom_ranking_ops = {
    .open_bytes = sizeof(OomRanking),
    .size_now = oom_ranking_size,
    .open_size = oom_ranking_open_size,
    .open = oom_ranking_open,
    .release = oom_ranking_release,
    .read = oom_ranking_read,
    .free_data = oom_ranking_free_data,
};

void mn_oom_ranking_add(MnTree *tree, MnFilesContext *context G_GNUC_UNUSED) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), "oom_ranking", 0444, &oom_ranking_ops,
                     g_new0(OomRankingFile, 1));
}
