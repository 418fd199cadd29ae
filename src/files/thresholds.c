/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* thresholds/NAME: the files of named thresholds.
 *
 * The directory is everybody's and sticky, a file its creator's. A file is ready as long as there
 * is a state that this open file has not read; one that was never read is, so that nothing is lost
 * between open and poll. Who can only write waits for nothing. Who makes a file and is refused what he writes to it leaves none behind. */
#include "files/files.h"
#include "files/thresholds.h"
#include "fs/open.h"

#include <errno.h>
#include <poll.h>

/* The node's data: a threshold, and until when. */
typedef struct ThresholdFile {
    MnThreshold *threshold; /* NULL when it has been removed */
    gboolean was_opened;
} ThresholdFile;

typedef struct ThresholdOpen {
    MnOpen open;
    guint64 seen_generation; /* 0 before the first read */
    gboolean has_created;    /* this open(2) has made the file */
    gboolean was_refused;
} ThresholdOpen;

MnThreshold *mn_node_get_threshold(const MnNode *node) {
    return ((const ThresholdFile *)node->data)->threshold;
}

static ThresholdFile *file_of(MnOpen *open) {
    return open->node->data;
}

static int threshold_open(MnOpen *open) {
    ThresholdFile *file = file_of(open);

    if (!file->threshold)
        return -ENOENT;
    if (!open->is_write_only)
        mn_threshold_wait(file->threshold);
    ((ThresholdOpen *)open)->has_created = !file->was_opened;
    file->was_opened = TRUE;
    return 0;
}

static void threshold_release(MnOpen *open) {
    const ThresholdOpen *self = (ThresholdOpen *)open;
    ThresholdFile *file = file_of(open);

    if (!file->threshold)
        return;
    if (!open->is_write_only)
        mn_threshold_unwait(file->threshold);
    if (self->has_created && self->was_refused && !mn_threshold_was_written(file->threshold))
        mn_tree_unlink(open->node->tree, open->node);
}

static int threshold_read(MnOpen *open, GString *text) {
    ThresholdFile *file = file_of(open);
    int r;

    if (!file->threshold)
        return -ENOENT;
    r = mn_threshold_render(file->threshold, text);
    if (r < 0)
        return r;
    ((ThresholdOpen *)open)->seen_generation = mn_threshold_get_generation(file->threshold);
    return 0;
}

/* A write at the beginning is the whole set, one that follows it or appends adds to it: so a text
 * that a shell writes line by line arrives whole. */
static int threshold_write(MnOpen *open, const MnWrite *write) {
    ThresholdFile *file = file_of(open);
    int r;

    if (!file->threshold)
        return -ENOENT;
    r = mn_threshold_write(file->threshold, write->text, write->len, write->offset > 0, write->fault);
    if (r < 0)
        ((ThresholdOpen *)open)->was_refused = TRUE;
    return r;
}

static guint threshold_poll(MnOpen *open) {
    ThresholdFile *file = file_of(open);
    guint events = POLLOUT | POLLWRNORM;

    if (!file->threshold || mn_threshold_is_gone(file->threshold))
        return POLLHUP | POLLERR;
    if (((ThresholdOpen *)open)->seen_generation != mn_threshold_get_generation(file->threshold))
        events |= POLLIN | POLLRDNORM | POLLPRI;
    return events;
}

static void threshold_free_data(gpointer data) {
    ThresholdFile *file = data;

    mn_threshold_free(file->threshold);
    g_free(file);
}

static const MnFileOps threshold_ops = {
    .open_bytes = sizeof(ThresholdOpen),
    .open = threshold_open,
    .release = threshold_release,
    .read = threshold_read,
    .write = threshold_write,
    .poll = threshold_poll,
    .free_data = threshold_free_data,
};

static int thresholds_create(MnNode *dir, const char *name, const MnCaller *caller, const MnFileOps **ret_ops,
                             gpointer *ret_data) {
    MnThreshold *threshold;
    ThresholdFile *file;
    int r;

    r = mn_threshold_new(dir->data, name, caller->uid, &threshold);
    if (r < 0)
        return r;

    file = g_new0(ThresholdFile, 1);
    *file = (ThresholdFile){ .threshold = threshold };
    *ret_ops = &threshold_ops;
    *ret_data = file;
    return 0;
}

/* A text that is being read ends as it began: whoever waits is told by poll, and then reads anew. */
static void on_changed(gpointer data) {
    mn_node_wake(data);
}

static void thresholds_created(MnNode *dir G_GNUC_UNUSED, MnNode *node) {
    mn_threshold_set_changed(((ThresholdFile *)node->data)->threshold, on_changed, node);
}

static int thresholds_rename(MnNode *dir G_GNUC_UNUSED, MnNode *node, const char *name) {
    return mn_threshold_rename(((ThresholdFile *)node->data)->threshold, name);
}

static void thresholds_unlinked(MnNode *dir G_GNUC_UNUSED, MnNode *node) {
    ThresholdFile *file = node->data;

    g_clear_pointer(&file->threshold, mn_threshold_free);
    for (MnOpen *open = node->opens; open; open = open->next)
        open->snapshot.must_restart = TRUE; /* its readers find out that it is gone */
    mn_node_wake(node);                     /* and so do its pollers */
}

static const MnDirOps thresholds_ops = {
    .create = thresholds_create,
    .created = thresholds_created,
    .rename = thresholds_rename,
    .unlinked = thresholds_unlinked,
};

void mn_thresholds_add(MnTree *tree, MnThresholds *thresholds) {
    mn_tree_add_dir(tree, mn_tree_get_root(tree), MEMNOTIFYFS_THRESHOLDS, 01777, &thresholds_ops, thresholds);
}
