/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events: a stream with one line for each crossing of a named threshold, from open on.
 *
 * A read ends with a line where its buffer can hold one. A line that was begun is kept in the open file, so that
 * neither a smaller buffer nor being overtaken ever loses half of it. A last call comes first of all that waits. */
#include "board/lastcall.h"
#include "files/files.h"
#include "fs/open.h"
#include "thresholds/threshold.h"

#include <poll.h>
#include <string.h>

/* The node's data. */
typedef struct EventsFile {
    MnThresholds *thresholds;
    MnLastCall *last_call;
} EventsFile;

typedef struct Events {
    MnOpen open;
    MnMember member;
    MnEvent call;   /* that he was told and has not read; all zero: none */
    guint64 cursor; /* in the log */
    guint16 line_len;
    guint16 line_at; /* what was taken of it */
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
} Events;

static EventsFile *file_of(const MnOpen *open) {
    return open->node->data;
}

static MnThresholds *thresholds_of(const MnOpen *open) {
    return file_of(open)->thresholds;
}

static gboolean on_called(MnMember *member, const MnEvent *event) {
    Events *self = (Events *)(void *)((char *)member - G_STRUCT_OFFSET(Events, member));

    self->call = *event;
    mn_open_wake(&self->open);
    return TRUE;
}

static int events_open(MnOpen *open) {
    Events *self = (Events *)open;

    mn_thresholds_listen(thresholds_of(open));
    self->cursor = mn_event_log_get_end(mn_thresholds_get_log(thresholds_of(open)));
    self->member = (MnMember){ .pid = &open->tid, .called = on_called };
    mn_last_call_add(file_of(open)->last_call, &self->member);
    return 0;
}

static void events_release(MnOpen *open) {
    mn_last_call_remove(file_of(open)->last_call, &((Events *)open)->member);
    mn_thresholds_unlisten(thresholds_of(open));
}

static gsize next_line(Events *self) {
    MnEvent call = self->call;

    if (call.word != MN_EVENT_LAST_CALL)
        return mn_event_log_next(mn_thresholds_get_log(thresholds_of(&self->open)), &self->cursor, self->line);
    self->call = (MnEvent){ 0 };
    return mn_event_print(&call, "", self->line);
}

static gboolean has_bytes(Events *self) {
    if (self->line_at == self->line_len) {
        self->line_at = 0;
        self->line_len = (guint16)next_line(self);
    }
    return self->line_at < self->line_len;
}

static gsize events_take(MnOpen *open, char *buffer, gsize size) {
    Events *self = (Events *)open;
    gsize taken = 0;

    while (taken < size && has_bytes(self)) {
        gsize left = self->line_len - self->line_at, n = MIN(size - taken, left);

        if (n < left && taken > 0) /* the next read has room for all of it */
            break;
        memcpy(buffer + taken, self->line + self->line_at, n);
        self->line_at += n;
        taken += n;
    }
    return taken;
}

static guint events_poll(MnOpen *open) {
    return has_bytes((Events *)open) ? POLLIN | POLLRDNORM : 0;
}

static const MnFileOps events_ops = {
    .open_bytes = sizeof(Events),
    .open = events_open,
    .release = events_release,
    .take = events_take,
    .poll = events_poll,
    .free_data = g_free,
};

static void on_appended(gpointer data) {
    mn_node_wake(data);
}

void mn_events_add(MnTree *tree, MnThresholds *thresholds, MnLastCall *last_call) {
    EventsFile *file = g_new0(EventsFile, 1);
    MnNode *node;

    *file = (EventsFile){ .thresholds = thresholds, .last_call = last_call };
    node = mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_EVENTS, 0444, &events_ops, file);
    mn_thresholds_set_appended(thresholds, on_appended, node);
}
