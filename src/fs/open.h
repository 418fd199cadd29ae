/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fs/file.h"
#include "fs/snapshot.h"
#include "loop/outbox.h"
#include "quota/quota.h"

struct fuse_req;
struct fuse_pollhandle;

/* An open file description: shared by dup and fork, ended by RELEASE. The struct of a kind of file
 * (MnFileOps.open_bytes) begins with it. */
struct MnOpen {
    MnNode *node;
    MnNotice notice; /* that who waits is to be woken */
    uid_t uid;       /* of who opened it; who uses it may be another that was given it */
    gid_t gid;
    pid_t tid;              /* of who has read it or asked for its state last, or opened it; holds while he waits for
                               that; 0 when it cannot be seen from here */
    MnAccount *account;     /* that is charged for it */
    gboolean is_write_only; /* opened with O_WRONLY */
    MnOpen *next;           /* of the same node */
    MnOpen *previous;
    struct fuse_pollhandle *poll_handle; /* somebody waits to be told; NULL when nobody does */
    struct MnBlockedRead *blocked;       /* reads of a stream that wait for bytes, oldest first */
    struct MnDeferred *deferred;         /* a request that waits for mn_open_finish() */
    MnSnapshot snapshot;
    off_t ended_at; /* where a read was told of the end of the snapshot; 0 when none was */
};

/* What a request that waits for its answer takes, beside the text that it has brought; charged as bytes. */
#define MN_REQUEST_BYTES 512

/* Opens a node with the flags of open(2); -errno of its open() or of the charge, or MN_LATER. */
int mn_open_new(MnNode *node, const MnCaller *caller, int flags, MnOpen **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_open_free(MnOpen *self);

/* What open() or write() has come to, after it has returned MN_LATER; 0 or -errno. An open file that is not opened
 * after all is freed. */
void mn_open_finish(MnOpen *self, int r);

/* Answer a request: with bytes, or with an error as the last resort. */
void mn_open_read(MnOpen *self, struct fuse_req *req, gsize size, off_t offset, int flags);
void mn_open_poll(MnOpen *self, struct fuse_req *req, struct fuse_pollhandle *handle);

/* What a request has brought about is told before it is answered: so who has written to `simulate` finds those who
 * wait ready. Called by whoever answers. */
void mn_open_tell_first(const MnOpen *self);

/* The poll events, or the bytes of a stream, have changed: wakes who waits for either, when the turn of the main loop
 * ends. Whoever was told asks again by himself, so nobody is told twice before he has. */
void mn_open_wake(MnOpen *self);

/* Somebody who waits for it was woken in another way, which is counted like a poll. */
void mn_open_note_wakeup(const MnOpen *self);

/* mn_open_wake() for all who have the node open. */
void mn_node_wake(MnNode *node);

/* Ends the waiting of everybody for a stream: its readers see the end. */
void mn_node_end_stream(MnNode *node);

/* Frees all who have the node open. */
void mn_node_close_all(MnNode *node);
