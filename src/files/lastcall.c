/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* last_call: who is about to kill a control group writes its name, and its members among those who read `events`, or wait at the
 * socket, are told before the write returns. What is read is how many that were. */
#include "board/lastcall.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

typedef struct LastCall {
    MnOpen open;
    MnCalling *calling;
    int n_told; /* by the last write */
} LastCall;

static MnLastCall *service_of(const MnOpen *open) {
    return open->node->data;
}

/* Who may write here keeps it open, so that there is something to write to when memory is short. */
static int last_call_open(MnOpen *open) {
    return mn_last_call_prepare(service_of(open));
}

static void last_call_release(MnOpen *open) {
    LastCall *self = (LastCall *)open;

    if (self->calling)
        mn_calling_forget(self->calling);
}

static int last_call_read(MnOpen *open, GString *text) {
    g_string_append_printf(text, "%d\n", ((LastCall *)open)->n_told);
    return 0;
}

static void on_made(int n, gpointer data) {
    LastCall *self = data;

    self->calling = NULL;
    self->n_told = MAX(n, 0);
    mn_open_finish(&self->open, MIN(n, 0));
}

/* As /proc/PID/cgroup shows it: "/user.slice/user-1000.slice". */
static int parse_group(const MnWrite *write, char group[PATH_MAX]) {
    gsize len = write->len > 0 && write->text[write->len - 1] == '\n' ? write->len - 1 : write->len;

    if (len == 0 || write->text[0] != '/')
        return mn_fault_set(write->fault, 0, "not the path of a control group, which begins with '/'");
    if (len >= PATH_MAX)
        return -ENAMETOOLONG;
    for (gsize i = 0; i < len; i++)
        if (write->text[i] == '\n' || write->text[i] == '\0')
            return mn_fault_set(write->fault, i, "there is one group at a time");
    memcpy(group, write->text, len);
    group[len] = '\0';
    return 0;
}

static int last_call_write(MnOpen *open, const MnWrite *write) {
    LastCall *self = (LastCall *)open;
    char group[PATH_MAX];
    int r;

    r = parse_group(write, group);
    if (r == 0)
        r = mn_last_call_make(service_of(open), open->uid, group, on_made, self, &self->calling);
    return r < 0 ? r : MN_LATER;
}

static const MnFileOps last_call_ops = {
    .open_bytes = sizeof(LastCall),
    .open = last_call_open,
    .release = last_call_release,
    .read = last_call_read,
    .write = last_call_write,
    .writes_late = TRUE,
};

void mn_last_call_add_file(MnTree *tree, MnLastCall *last_call) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_LAST_CALL_FILE, 0600, &last_call_ops, last_call);
}
