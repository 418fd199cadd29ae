/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom: the list of processes to sacrifice, as /proc/oom of 2005.
 *
 * Each user has a list of his own, which he replaces by a write. It is that of who has opened the file; and both he and
 * who writes to it must be permitted to kill what they list: a program that is more powerful than its user, and prints
 * what he likes into a file that he has opened, lends him nothing and changes no list but his. */
#include "core/pidlist.h"
#include "files/files.h"
#include "fs/open.h"
#include "oom/oomlist.h"

/* As many pids as surely fit in one page. */
#define SHORT_LIST 500
#define PID_BYTES 8 /* with its blank */

static MnOomList *list_of(MnOpen *open) {
    return open->node->data;
}

/* "11 22 33 \n" */
static int oom_read(MnOpen *open, GString *text) {
    mn_oom_list_render(list_of(open), open->uid, text);
    return 0;
}

static void on_written(int r, gpointer data) {
    mn_open_finish(data, r);
}

static int oom_write(MnOpen *open, const MnWrite *write) {
    MnWriter writer = {
        .opener_uid = open->uid,
        .uid = write->caller.uid,
        .tid = write->caller.tid,
    };
    int r;

    r = mn_oom_list_write(list_of(open), write->text, write->len, write->fault, &writer, on_written, open);
    return r < 0 ? r : MN_LATER;
}

/* One page as other files, unless the list is long: where st_size is far above what can be read,
 * programs that seek to the end, as tail, find nothing. */
static gsize oom_size(const MnNode *node) {
    guint n = mn_oom_list_get_victims(node->data)->len;

    return n <= SHORT_LIST ? 0 : MAX(n * PID_BYTES + 1, MN_PID_LIST_SHOWN_MAX);
}

static const MnFileOps oom_ops = {
    .size_now = oom_size,
    .read = oom_read,
    .write = oom_write,
    .writes_late = TRUE,
};

void mn_oom_add(MnTree *tree, MnOomList *list) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), "oom", 0666, &oom_ops, list);
}
