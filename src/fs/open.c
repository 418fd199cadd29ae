/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open file descriptions: reading, waiting, being woken.
 *
 * No request waits in here for anything. A poll stores its handle first and looks at the state
 * second, and whoever changes state changes it first and wakes when the turn ends, so that no wake-up
 * falls between the two. A read of an empty stream is put aside and answered when there are bytes, when
 * it is interrupted, or when the filesystem ends. */
#include "open.h"

#include "fs/node.h"
#include "kernel/ourselves.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <string.h>

#define STREAM_BYTES_MAX 4096

/* A text up to this is paid for with the open file, so that no event is spent on a read that is then refused. */
#define SHORT_TEXT_BYTES 2048

typedef struct MnBlockedRead MnBlockedRead;
struct MnBlockedRead {
    MnBlockedRead *next;
    fuse_req_t req;
    MnOpen *open;
    gsize size;
    guint expiry; /* the source that ends it before the kernel would; 0 for none */
};

static void tell_open(MnNotice *notice);

static MnOutbox *outbox_of(const MnNode *node) {
    return mn_tree_get_outbox(node->tree);
}

static void free_account(MnAccount *account) {
    mn_account_refund(account, MN_RESOURCE_OPENS, 1);
    mn_account_give_back(account);
}

int mn_open_new(MnNode *node, const MnCaller *caller, int flags, MnOpen **ret) {
    const MnFileOps *ops = node->file_ops;
    MnAccount *account = mn_quota_get_account(mn_tree_get_quota(node->tree), caller->uid);
    MnOpen *self;
    int r;

    r = mn_account_charge(account, MN_RESOURCE_OPENS, 1);
    if (r < 0) {
        mn_account_give_back(account);
        return r;
    }
    self = g_malloc0(MAX(ops->open_bytes, sizeof(MnOpen)));
    self->node = node;
    self->notice.tell = tell_open;
    self->uid = caller->uid;
    self->gid = caller->gid;
    self->tid = caller->tid;
    self->account = account;
    self->is_write_only = (flags & O_ACCMODE) == O_WRONLY;
    r = ops->open ? ops->open(self) : 0;
    if (r < 0) {
        g_free(self);
        free_account(account);
        return r;
    }

    self->next = node->opens;
    if (self->next)
        self->next->previous = self;
    node->opens = self;
    mn_node_get_kind(node)->n_opens++;

    *ret = self;
    return r;
}

/* What is charged for a text of that length. */
static gsize text_bytes(gsize len) {
    return len > SHORT_TEXT_BYTES ? len : 0;
}

void mn_open_free(MnOpen *self) {
    g_assert(!self->blocked && !self->deferred);

    if (self->node->file_ops->release)
        self->node->file_ops->release(self);
    if (self->poll_handle)
        fuse_pollhandle_destroy(self->poll_handle);
    mn_outbox_take_back(outbox_of(self->node), &self->notice);
    mn_account_refund(self->account, MN_RESOURCE_BYTES, text_bytes(mn_snapshot_get_len(&self->snapshot)));
    mn_snapshot_clear(&self->snapshot);

    mn_node_get_kind(self->node)->n_opens--;
    if (self->previous)
        self->previous->next = self->next;
    else
        self->node->opens = self->next;
    if (self->next)
        self->next->previous = self->previous;
    if (!self->node->opens && self->node->scratch && self->node->scratch->len > SHORT_TEXT_BYTES)
        mn_node_forget_text(self->node);
    free_account(self->account);
    g_free(self);
}

/* Takes a blocked read off its list; the caller then answers the request that is returned. */
static fuse_req_t unblock(MnBlockedRead *blocked) {
    MnBlockedRead **link = &blocked->open->blocked;
    fuse_req_t req = blocked->req;

    mn_account_refund(blocked->open->account, MN_RESOURCE_BYTES, MN_REQUEST_BYTES);

    while (*link != blocked)
        link = &(*link)->next;
    *link = blocked->next;

    if (blocked->expiry > 0)
        g_source_remove(blocked->expiry);
    g_free(blocked);
    return req;
}

static void on_interrupt(fuse_req_t req G_GNUC_UNUSED, void *data) {
    fuse_reply_err(unblock(data), EINTR);
}

/* The reader tries again, as it does after a signal. */
static gboolean on_expiry(gpointer data) {
    MnBlockedRead *blocked = data;

    blocked->expiry = 0;
    fuse_reply_err(unblock(blocked), EINTR);
    return G_SOURCE_REMOVE;
}

static void block(MnOpen *self, fuse_req_t req, gsize size) {
    MnBlockedRead **link = &self->blocked, *blocked;
    guint timeout_s = mn_request_timeout_s();
    int r;

    r = mn_account_charge(self->account, MN_RESOURCE_BYTES, MN_REQUEST_BYTES);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }
    blocked = g_new(MnBlockedRead, 1);
    *blocked = (MnBlockedRead){ .req = req, .open = self, .size = size };
    if (timeout_s > 0) /* the kernel would end the whole connection for one late answer */
        blocked->expiry = g_timeout_add(timeout_s * 1000 / 2, on_expiry, blocked);
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

/* The text that has been made, which all who have read the same share. */
static GRefString *share_text(MnNode *node) {
    const GString *made = node->scratch;

    if (node->text && g_ref_string_length(node->text) == made->len && memcmp(node->text, made->str, made->len) == 0)
        return node->text;
    g_clear_pointer(&node->text, g_ref_string_release);
    node->text = g_ref_string_new_len(made->str, made->len);
    return node->text;
}

static int take_snapshot(MnOpen *self, off_t offset) {
    MnNode *node = self->node;
    int r;

    if (!node->scratch)
        node->scratch = g_string_new(NULL);
    g_string_truncate(node->scratch, 0);

    r = node->file_ops->read(self, node->scratch);
    if (r == 0)
        r = mn_account_change(self->account, MN_RESOURCE_BYTES, text_bytes(mn_snapshot_get_len(&self->snapshot)),
                              text_bytes(node->scratch->len));
    if (r < 0)
        return r;
    mn_snapshot_begin(&self->snapshot, share_text(node), offset);
    self->ended_at = 0;
    return 0;
}

/* Some readers believe in the end only when they see it twice (busybox tail reads until a whole
 * buffer stays empty), so the second read there is told the same. A third wants news. */
static void report_end(MnOpen *self, off_t offset) {
    if (self->ended_at == offset)
        self->snapshot.may_go_on = TRUE;
    self->ended_at = offset;
}

static void read_text(MnOpen *self, fuse_req_t req, gsize size, off_t offset) {
    const char *bytes = NULL;
    gsize n;
    int r = 0;

    if (mn_snapshot_needs_text(&self->snapshot, offset))
        r = take_snapshot(self, offset);
    mn_open_tell_first(self);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }

    n = mn_snapshot_read(&self->snapshot, offset, size, &bytes);
    if (n == 0 && size > 0 && self->node->file_ops->is_rereadable)
        report_end(self, offset);
    fuse_reply_buf(req, bytes, n);
}

/* Those who are to be told, and those who are told by them: all who have a file open. */
void mn_open_tell_first(const MnOpen *self) {
    if (mn_outbox_flush(outbox_of(self->node)))
        mn_outbox_flush(outbox_of(self->node));
}

void mn_open_read(MnOpen *self, fuse_req_t req, gsize size, off_t offset, int flags) {
    self->tid = fuse_req_ctx(req)->pid;
    if (self->node->file_ops->take)
        read_stream(self, req, size, flags);
    else if (self->node->file_ops->read)
        read_text(self, req, size, offset);
    else
        fuse_reply_err(req, EINVAL);
}

/* Whether there is something to read that is no news. Shells look before each byte (busybox ash, yash). Who never seeks
 * reads one line and then waits, whatever his buffer. */
static gboolean is_readable(const MnOpen *self) {
    const MnFileOps *ops = self->node->file_ops;

    if (!ops->read || self->is_write_only)
        return FALSE;
    return mn_snapshot_has_rest(&self->snapshot) || (self->snapshot.asks_again && !ops->is_rereadable) ||
           (ops->is_idle && ops->is_idle(self));
}

void mn_open_poll(MnOpen *self, fuse_req_t req, struct fuse_pollhandle *handle) {
    const MnFileOps *ops = self->node->file_ops;
    guint events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;

    self->tid = fuse_req_ctx(req)->pid;
    if (handle) {
        if (self->poll_handle)
            fuse_pollhandle_destroy(self->poll_handle);
        self->poll_handle = handle;
    }

    if (ops->poll)
        events = ops->poll(self);
    if (ops->poll && ops->read && !ops->is_always_readable && (events & (POLLIN | POLLPRI | POLLERR)))
        self->snapshot.must_restart = TRUE; /* what was announced is what the next read shows */
    else if (is_readable(self))
        events |= POLLIN | POLLRDNORM;
    mn_open_tell_first(self);
    fuse_reply_poll(req, events);
}

void mn_open_note_wakeup(const MnOpen *self) {
    mn_node_get_kind(self->node)->n_wakeups++;
}

static void serve_blocked(MnOpen *self) {
    char buffer[STREAM_BYTES_MAX];

    while (self->blocked) {
        MnBlockedRead *blocked = self->blocked;
        gsize n = self->node->file_ops->take(self, buffer, MIN(blocked->size, sizeof buffer));

        if (n == 0)
            return;
        mn_open_note_wakeup(self);
        fuse_reply_buf(unblock(blocked), buffer, n);
    }
}

static void wake(MnOpen *self) {
    struct fuse_pollhandle *handle = g_steal_pointer(&self->poll_handle);

    serve_blocked(self);
    if (handle) {
        mn_open_note_wakeup(self);
        fuse_lowlevel_notify_poll(handle);
        fuse_pollhandle_destroy(handle);
    }
}

static void tell_open(MnNotice *notice) {
    wake(MN_NOTICE_OWNER(notice, MnOpen));
}

void mn_open_wake(MnOpen *self) {
    mn_outbox_put(outbox_of(self->node), &self->notice);
}

static void tell_node(MnNotice *notice) {
    const MnNode *node = MN_NOTICE_OWNER(notice, MnNode);

    for (MnOpen *open = node->opens; open; open = open->next)
        mn_open_wake(open);
}

void mn_node_wake(MnNode *node) {
    node->notice.tell = tell_node;
    mn_outbox_put(outbox_of(node), &node->notice);
}

void mn_node_end_stream(MnNode *node) {
    for (MnOpen *open = node->opens; open; open = open->next)
        while (open->blocked)
            fuse_reply_buf(unblock(open->blocked), NULL, 0);
}

void mn_node_close_all(MnNode *node) {
    while (node->opens)
        mn_open_free(node->opens);
}
