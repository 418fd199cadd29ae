/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client waits for a deferred answer as for any other, and cannot be killed meanwhile; who opens a file may
 * be interrupted, since nothing has happened then. Nobody closes the file while he waits. */
#include "deferred.h"

#include "fs/node.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>

typedef struct MnDeferred {
    fuse_req_t req;
    MnTree *tree; /* of an opening; NULL for a writing */
    struct fuse_file_info info;
    gsize len;
} Deferred;

static void defer(MnOpen *self, const Deferred *deferred) {
    self->deferred = g_memdup2(deferred, sizeof *deferred);
}

static void drop(MnOpen *self, MnTree *tree) {
    MnNode *node = self->node;

    mn_open_free(self);
    mn_tree_release_unused(tree, node);
}

static void on_interrupt(fuse_req_t req G_GNUC_UNUSED, void *data) {
    mn_open_finish(data, -EINTR);
}

void mn_open_answer_opening(MnOpen *self, MnTree *tree, fuse_req_t req, const struct fuse_file_info *info, int r) {
    if (r == MN_LATER) {
        defer(self, &(Deferred){ .req = req, .tree = tree, .info = *info });
        fuse_req_interrupt_func(req, on_interrupt, self); /* at once if that has happened already */
    } else if (r < 0) {
        fuse_reply_err(req, -r);
        drop(self, tree);
    } else if (fuse_reply_open(req, info) == -ENOENT) { /* the caller was killed: no RELEASE will come */
        drop(self, tree);
    }
}

int mn_open_begin_writing(MnOpen *self, gsize len) {
    return self->deferred ? -EBUSY : mn_account_charge(self->account, MN_RESOURCE_BYTES, len + MN_REQUEST_BYTES);
}

void mn_open_answer_writing(MnOpen *self, fuse_req_t req, gsize len, int r) {
    mn_open_tell_first(self);
    if (r == MN_LATER) {
        defer(self, &(Deferred){ .req = req, .len = len });
        return;
    }
    mn_account_refund(self->account, MN_RESOURCE_BYTES, len + MN_REQUEST_BYTES);
    if (r < 0) {
        fuse_reply_err(req, -r);
    } else {
        self->snapshot.must_restart = TRUE;
        fuse_reply_write(req, len);
    }
}

void mn_open_finish(MnOpen *self, int r) {
    g_autofree Deferred *deferred = g_steal_pointer(&self->deferred);

    if (deferred->tree)
        mn_open_answer_opening(self, deferred->tree, deferred->req, &deferred->info, r);
    else
        mn_open_answer_writing(self, deferred->req, deferred->len, r);
}
