/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_ranking: every process that could be ended and that the reader's own /proc shows to him, the worst first.
 *
 * Ranking is done once, when the file is opened: it looks at all processes, and who reads in small
 * pieces or goes back to the beginning is to pay for that only once and to see one order. The helper does it, and who
 * opens the file waits; where it takes long, who opens the file soon after with the same view gets the same text. */
#include "files/files.h"
#include "fs/open.h"
#include "kernel/process.h"
#include "kernel/ranker.h"
#include "loop/clock.h"

#include <unistd.h>

#define PAGE 4096

/* The node's data. */
typedef struct OomRankingFile {
    MnHelper *helper;
    GQueue rankings; /* of Ranking, each of another view */
    int load_fd;     /* for mn_process_count() */
} OomRankingFile;

/* The last of a view. */
typedef struct Ranking {
    OomRankingFile *file;
    MnView view;  /* open while somebody waits */
    GBytes *text; /* NULL before the first */
    gint64 began_us;
    gint64 ended_us;
    MnHelperJob *job; /* a ranking is on its way */
    GQueue served;    /* of OomRanking: they get it */
    GQueue waiting;   /* and they came later */
    GList link;
} Ranking;

typedef struct OomRanking {
    MnOpen open;
    MnHelperJob *job; /* his view is looked for */
    Ranking *ranking; /* that he waits for */
    GBytes *text;     /* NULL: waiting */
    GList link;
} OomRanking;

static gboolean is_young(const Ranking *self) {
    return self->text &&
           mn_ranking_is_young(self->ended_us - self->began_us, mn_clock_now_us(&mn_machine_clock) - self->ended_us);
}

static void ranking_free(Ranking *self) {
    if (self->job)
        mn_helper_forget(self->job);
    mn_view_close(&self->view);
    g_clear_pointer(&self->text, g_bytes_unref);
    g_queue_unlink(&self->file->rankings, &self->link);
    g_free(self);
}

/* Nobody waits: the view is not looked at any more, and the text goes when it is old. */
static void ranking_settle(Ranking *self) {
    if (self->job || !g_queue_is_empty(&self->waiting))
        return;
    mn_view_close(&self->view);
    if (!is_young(self))
        ranking_free(self);
}

static void settle_all(OomRankingFile *file) {
    for (GList *link = file->rankings.head, *next; link; link = next) {
        next = link->next;
        ranking_settle(link->data);
    }
}

static void on_ranked(int r, MnParcel *answer, gpointer data);

/* For those who wait now. On an error they are still there. */
static int rank(Ranking *self) {
    const OomRanking *first = g_queue_peek_head(&self->waiting);
    int r;

    r = mn_ranker_ask(self->file->helper, first->open.uid, &self->view, on_ranked, self, &self->job);
    if (r < 0)
        return r;
    self->began_us = mn_clock_now_us(&mn_machine_clock);
    self->served = self->waiting;
    g_queue_init(&self->waiting);
    return 0;
}

/* The text is charged to everybody who has it open. */
static int take_text(OomRanking *self, const Ranking *ranking) {
    int r;

    r = mn_account_charge(self->open.account, MN_RESOURCE_BYTES, g_bytes_get_size(ranking->text));
    if (r == 0)
        self->text = g_bytes_ref(ranking->text);
    return r;
}

/* Opening ends: with the text as it is, or an error. */
static void finish_all(Ranking *self, GQueue *queue, int r) {
    while (!g_queue_is_empty(queue)) {
        OomRanking *opening = g_queue_pop_head_link(queue)->data;

        opening->ranking = NULL;
        mn_open_finish(&opening->open, r == 0 ? take_text(opening, self) : r);
    }
}

static void on_ranked(int r, MnParcel *answer, gpointer data) {
    Ranking *self = data;

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
    ranking_settle(self);
}

/* That of the view, which is its own then. */
static Ranking *find_or_add(OomRankingFile *file, MnView *view) {
    Ranking *self;

    for (const GList *link = file->rankings.head; link; link = link->next) {
        self = link->data;
        if (!mn_view_is_same(&self->view, view))
            continue;
        mn_view_close(&self->view);
        self->view = *view;
        return self;
    }
    self = g_new0(Ranking, 1);
    self->file = file;
    self->view = *view;
    self->link.data = self;
    g_queue_push_tail_link(&file->rankings, &self->link);
    return self;
}

static int wait_for(Ranking *self, OomRanking *opening) {
    int r;

    opening->ranking = self;
    g_queue_push_tail_link(&self->waiting, &opening->link);
    r = self->job ? 0 : rank(self);
    if (r < 0) {
        g_queue_unlink(&self->waiting, &opening->link);
        opening->ranking = NULL;
    }
    return r < 0 ? r : MN_LATER;
}

static void on_view(int r, MnParcel *answer, gpointer data) {
    OomRanking *self = data;
    OomRankingFile *file = self->open.node->data;

    self->job = NULL;
    settle_all(file);
    if (r == 0) {
        Ranking *ranking;
        MnView view;

        mn_view_take(&view, answer);
        ranking = find_or_add(file, &view);
        r = is_young(ranking) ? take_text(self, ranking) : wait_for(ranking, self);
        ranking_settle(ranking);
    }
    if (r != MN_LATER)
        mn_open_finish(&self->open, r);
}

static int oom_ranking_open(MnOpen *open) {
    OomRanking *self = (OomRanking *)open;
    OomRankingFile *file = open->node->data;
    const MnViewer viewer = { .uid = open->uid,
                              .gid = open->gid,
                              .tid = open->tid,
                              .is_privileged = mn_quota_is_free(mn_tree_get_quota(open->node->tree), open->uid) };
    int r;

    self->link.data = self;
    r = mn_view_ask(file->helper, &viewer, on_view, self, &self->job);
    return r < 0 ? r : MN_LATER;
}

/* Who does not wait any more has been interrupted, or was told of an error. */
static void oom_ranking_release(MnOpen *open) {
    OomRanking *self = (OomRanking *)open;
    Ranking *ranking = self->ranking;

    if (self->job)
        mn_helper_forget(self->job);
    if (self->text) {
        mn_account_refund(open->account, MN_RESOURCE_BYTES, g_bytes_get_size(self->text));
        g_bytes_unref(self->text);
    }
    if (!ranking)
        return;
    g_queue_unlink(g_queue_link_index(&ranking->served, &self->link) >= 0 ? &ranking->served : &ranking->waiting,
                   &self->link);
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

    while (!g_queue_is_empty(&file->rankings))
        ranking_free(g_queue_peek_head(&file->rankings));
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
