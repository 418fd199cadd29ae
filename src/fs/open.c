/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open file descriptions: reading, waiting, being woken.
 *
 * No request waits in here for anything. A poll stores its handle first and looks at the state
 * second, and whoever changes state changes it first and wakes second, so that no wake-up falls
 * between the two. A read of an empty stream is put aside and answered when there are bytes, when
 * it is interrupted, or when the filesystem ends. */
#include "open.h"

#include "fs/node.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>

#define STREAM_BYTES_MAX 4096

typedef struct MnBlockedRead MnBlockedRead;
struct MnBlockedRead {
    MnBlockedRead *next;
    fuse_req_t req;
    MnOpen *open;
    gsize size;
};

int mn_open_new(MnNode *node, MnOpen **ret) {
    const MnFileOps *ops = node->file_ops;
    MnOpen *self = g_malloc0(MAX(ops->open_bytes, sizeof(MnOpen)));
    int r;

    self->node = node;
    r = ops->open ? ops->open(self) : 0;
    if (r < 0) {
        g_free(self);
        return r;
    }

    self->next = node->opens;
    if (self->next)
        self->next->previous = self;
    node->opens = self;

    *ret = self;
    return 0;
}

void mn_open_free(MnOpen *self) {
    g_assert(!self->blocked);

    if (self->node->file_ops->release)
        self->node->file_ops->release(self);
    if (self->poll_handle)
        fuse_pollhandle_destroy(self->poll_handle);
    mn_snapshot_clear(&self->snapshot);

    if (self->previous)
        self->previous->next = self->next;
    else
        self->node->opens = self->next;
    if (self->next)
        self->next->previous = self->previous;
    g_free(self);
}

static void blocked_unlink(MnBlockedRead *blocked) {
    MnBlockedRead **link = &blocked->open->blocked;

    while (*link != blocked)
        link = &(*link)->next;
    *link = blocked->next;
}

static void on_interrupt(fuse_req_t req, void *data) {
    MnBlockedRead *blocked = data;

    blocked_unlink(blocked);
    fuse_reply_err(req, EINTR);
    g_free(blocked);
}

static void block(MnOpen *self, fuse_req_t req, gsize size) {
    MnBlockedRead *blocked = g_new0(MnBlockedRead, 1);
    MnBlockedRead **link = &self->blocked;

    *blocked = (MnBlockedRead){ .req = req, .open = self, .size = size };
    while (*link)
        link = &(*link)->next;
    *link = blocked;

    fuse_req_interrupt_func(req, on_interrupt, blocked); /* at once if that has happened already */
}

static void read_stream(MnOpen *self, fuse_req_t req, gsize size, int flags) {
    char buffer[STREAM_BYTES_MAX];
    gsize n = 0;

    if (!self->blocked) /* those who wait come first */
        n = self->node->file_ops->take(self, buffer, MIN(size, sizeof buffer));

    if (n > 0)
        fuse_reply_buf(req, buffer, n);
    else if (flags & O_NONBLOCK)
        fuse_reply_err(req, EAGAIN);
    else
        block(self, req, size);
}

static int take_snapshot(MnOpen *self, off_t offset) {
    MnNode *node = self->node;
    int r;

    if (!node->text)
        node->text = g_string_new(NULL);
    g_string_truncate(node->text, 0);

    r = node->file_ops->read(self, node->text);
    if (r < 0)
        return r;
    mn_snapshot_begin(&self->snapshot, node->text->str, node->text->len, offset);
    return 0;
}

static void read_text(MnOpen *self, fuse_req_t req, gsize size, off_t offset) {
    const char *bytes = NULL;
    gsize n;
    int r = 0;

    if (mn_snapshot_needs_text(&self->snapshot, offset))
        r = take_snapshot(self, offset);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }

    n = mn_snapshot_read(&self->snapshot, offset, size, &bytes);
    if (n == 0 && size > 0 && self->node->file_ops->is_rereadable)
        self->snapshot.may_go_on = TRUE;
    fuse_reply_buf(req, bytes, n);
}

void mn_open_read(MnOpen *self, fuse_req_t req, gsize size, off_t offset, int flags) {
    if (self->node->file_ops->take)
        read_stream(self, req, size, flags);
    else if (self->node->file_ops->read)
        read_text(self, req, size, offset);
    else
        fuse_reply_err(req, EINVAL);
}

void mn_open_poll(MnOpen *self, fuse_req_t req, struct fuse_pollhandle *handle) {
    const MnFileOps *ops = self->node->file_ops;
    guint events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;

    if (handle) {
        if (self->poll_handle)
            fuse_pollhandle_destroy(self->poll_handle);
        self->poll_handle = handle;
    }

    if (ops->poll)
        events = ops->poll(self);
    if (ops->poll && ops->read && (events & (POLLIN | POLLPRI)))
        self->snapshot.must_restart = TRUE; /* what was announced is what the next read shows */
    fuse_reply_poll(req, events);
}

static void serve_blocked(MnOpen *self) {
    char buffer[STREAM_BYTES_MAX];

    while (self->blocked) {
        MnBlockedRead *blocked = self->blocked;
        gsize n = self->node->file_ops->take(self, buffer, MIN(blocked->size, sizeof buffer));

        if (n == 0)
            return;
        self->blocked = blocked->next;
        fuse_reply_buf(blocked->req, buffer, n);
        g_free(blocked);
    }
}

void mn_open_wake(MnOpen *self) {
    struct fuse_pollhandle *handle = g_steal_pointer(&self->poll_handle);

    serve_blocked(self);
    if (handle) {
        fuse_lowlevel_notify_poll(handle);
        fuse_pollhandle_destroy(handle);
    }
}

void mn_node_wake(MnNode *node) {
    for (MnOpen *open = node->opens; open; open = open->next)
        mn_open_wake(open);
}

void mn_node_end_stream(MnNode *node) {
    for (MnOpen *open = node->opens; open; open = open->next)
        while (open->blocked) {
            MnBlockedRead *blocked = open->blocked;

            open->blocked = blocked->next;
            fuse_reply_buf(blocked->req, NULL, 0);
            g_free(blocked);
        }
}

void mn_node_close_all(MnNode *node) {
    while (node->opens)
        mn_open_free(node->opens);
}
