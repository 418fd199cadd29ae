/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_ranking: every process that could be ended, the worst first.
 *
 * Ranking is done once, when the file is opened: it looks at all processes, and who reads in small
 * pieces or goes back to the beginning is to pay for that only once and to see one order. The helper does it, and who
 * opens the file waits; where it takes long, who opens the file soon after gets the same text. */
#include "files/files.h"
#include "fs/open.h"
#include "kernel/helper.h"
#include "kernel/process.h"
#include "loop/clock.h"

#include <unistd.h>

#define PAGE 4096
#define LIMIT_MS 10000 /* 10,000 processes take 110 ms */

/* The node's data: the last ranking. */
typedef struct OomRankingFile {
    MnHelper *helper;
    GBytes *text; /* NULL before the first */
    gint64 began_us;
    gint64 ended_us;
    MnHelperJob *job; /* a ranking is on its way */
    GQueue served;    /* of OomRanking: they get it */
    GQueue waiting;   /* and they came later */
    int load_fd;      /* for mn_process_count() */
} OomRankingFile;

typedef struct OomRanking {
    MnOpen open;
    GBytes *text; /* NULL: waiting */
    GList link;
} OomRanking;

static int run_rank(MnParcel *question G_GNUC_UNUSED, MnParcel *answer) {
    g_autoptr(GArray) candidates = NULL;
    g_autoptr(GString) text = NULL;
    int r;

    r = mn_process_rank(&candidates);
    if (r < 0)
        return r;
    text = g_string_new(NULL);
    for (guint i = 0; i < candidates->len; i++)
        mn_candidate_render(&g_array_index(candidates, MnCandidate, i), text);
    mn_parcel_add(answer, text->str, text->len);
    return 0;
}

static const MnTask rank_task = { "rank all processes", LIMIT_MS, run_rank };

static void on_ranked(int r, MnParcel *answer, gpointer data);

/* For those who wait now. On an error they are still there. */
static int rank(OomRankingFile *self) {
    const OomRanking *first = g_queue_peek_head(&self->waiting);
    int r;

    r = mn_helper_ask(self->helper, &rank_task, first->open.uid, NULL, 0, NULL, 0, on_ranked, self, &self->job);
    if (r < 0)
        return r;
    self->began_us = mn_clock_now_us(&mn_machine_clock);
    self->served = self->waiting;
    g_queue_init(&self->waiting);
    return 0;
}

/* Opening ends: with the text as it is, or an error. */
static void finish_all(OomRankingFile *self, GQueue *queue, int r) {
    while (!g_queue_is_empty(queue)) {
        OomRanking *opening = g_queue_pop_head_link(queue)->data;

        if (r == 0)
            opening->text = g_bytes_ref(self->text);
        mn_open_finish(&opening->open, r);
    }
}

static gboolean is_young(const OomRankingFile *self) {
    return self->text &&
           mn_ranking_is_young(self->ended_us - self->began_us, mn_clock_now_us(&mn_machine_clock) - self->ended_us);
}

static void on_ranked(int r, MnParcel *answer, gpointer data) {
    OomRankingFile *self = data;

    self->job = NULL;
    if (r == 0) {
        g_clear_pointer(&self->text, g_bytes_unref);
        self->text = g_bytes_new(answer->bytes->data, answer->bytes->len);
        self->ended_us = mn_clock_now_us(&mn_machine_clock);
    }
    finish_all(self, &self->served, r);
    if (r == 0 && is_young(self))
        finish_all(self, &self->waiting, 0);
    if (!g_queue_is_empty(&self->waiting)) {
        r = rank(self);
        if (r < 0)
            finish_all(self, &self->waiting, r);
    }
}

static int oom_ranking_open(MnOpen *open) {
    OomRanking *self = (OomRanking *)open;
    OomRankingFile *file = open->node->data;
    int r;

    if (is_young(file)) {
        self->text = g_bytes_ref(file->text);
        return 0;
    }
    self->link.data = self;
    g_queue_push_tail_link(&file->waiting, &self->link);
    if (!file->job) {
        r = rank(file);
        if (r < 0) {
            g_queue_unlink(&file->waiting, &self->link);
            return r;
        }
    }
    return MN_LATER;
}

/* Who does not wait any more has been interrupted, or was told of an error. */
static void oom_ranking_release(MnOpen *open) {
    OomRanking *self = (OomRanking *)open;
    OomRankingFile *file = open->node->data;

    if (self->text)
        g_bytes_unref(self->text);
    else if (g_queue_link_index(&file->served, &self->link) >= 0)
        g_queue_unlink(&file->served, &self->link);
    else if (g_queue_link_index(&file->waiting, &self->link) >= 0)
        g_queue_unlink(&file->waiting, &self->link);
}

/* "4711 1373.625 17 5 bash\n" */
static int oom_ranking_read(MnOpen *open, GString *text) {
    gsize len;
    const char *ranking = g_bytes_get_data(((OomRanking *)open)->text, &len);

    g_string_append_len(text, ranking, len);
    return 0;
}

/* Room for all processes that there are, and as many that start before the file is opened. */
static gsize oom_ranking_size(const MnNode *node) {
    gsize bytes = (gsize)(mn_process_count(((OomRankingFile *)node->data)->load_fd) + 64) * MN_RANKING_LINE_BYTES;

    return (bytes + PAGE - 1) / PAGE * PAGE;
}

/* For tail, which reads backwards from there. */
static gsize oom_ranking_open_size(MnOpen *open) {
    return g_bytes_get_size(((OomRanking *)open)->text);
}

static void oom_ranking_free_data(gpointer data) {
    OomRankingFile *file = data;

    g_clear_pointer(&file->text, g_bytes_unref);
    if (file->load_fd >= 0)
        close(file->load_fd);
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

void mn_oom_ranking_add(MnTree *tree, MnHelper *helper) {
    OomRankingFile *file = g_new0(OomRankingFile, 1);

    file->helper = helper;
    file->load_fd = mn_process_open_load();
    mn_tree_add_file(tree, mn_tree_get_root(tree), "oom_ranking", 0444, &oom_ranking_ops, file);
}
