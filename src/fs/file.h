/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a served file has to be: its operations, and what an open file looks like to them. The files
 * below src/files know nothing else of FUSE. */
#pragma once

#include "core/fault.h"

#include <glib.h>
#include <sys/types.h>

typedef struct MnNode MnNode;
typedef struct MnOpen MnOpen;
typedef struct MnTree MnTree;

/* Who makes a request: as the kernel tells it, in the namespaces of the mount. `tid` is a thread, 0
 * when it cannot be seen from here. */
typedef struct MnCaller {
    uid_t uid;
    gid_t gid;
    pid_t tid;
} MnCaller;

/* One write(2): a whole command, text[len] is not a NUL. */
typedef struct MnWrite {
    const char *text;
    gsize len;
    off_t offset;
    MnCaller caller;
    MnFault *fault; /* where write() says what is wrong with the text; never NULL */
} MnWrite;

/* What open() and write() return when they will call mn_open_finish() later. After such an open() there is a
 * release() also when it has failed. */
#define MN_LATER 1

/* The operations of a kind of file; those that are NULL are refused or, where that makes sense,
 * not needed. All return at once; int is 0 or -errno. */
typedef struct MnFileOps {
    gsize open_bytes;                      /* of the struct that begins with an MnOpen; 0 for MnOpen itself */
    gsize size;                            /* st_size to report; 0 for one page. Covers the longest text */
    gsize (*size_now)(const MnNode *node); /* instead of it, where that changes */
    gsize (*open_size)(MnOpen *open);      /* the very length, where an open file has one and may be long */
    gboolean is_of_now;                    /* st_mtime is now, as what it shows is */
    gboolean is_rereadable;                /* a third read at the end begins anew, for clients that never lseek */
    gboolean is_always_readable;           /* poll() has POLLIN whatever it reports: no event is about the text */

    int (*open)(MnOpen *open);
    void (*release)(MnOpen *open);

    /* A text file: appends the whole text as it is now. Called when a snapshot begins. */
    int (*read)(MnOpen *open, GString *text);

    /* A stream: takes up to `size` bytes that were not taken yet. 0 when there are none: the reader
     * waits, and is served after mn_open_wake(). */
    gsize (*take)(MnOpen *open, char *buffer, gsize size);

    int (*write)(MnOpen *open, const MnWrite *write);
    gboolean writes_late; /* write() may return MN_LATER; for files that are there from the start */

    /* The poll events that are true now. Must have no effect but on what it reports. Files without
     * are always readable and writable. A text that is read in pieces is readable to its end besides. */
    guint (*poll)(MnOpen *open);
    gboolean (*is_idle)(const MnOpen *open); /* poll() will never tell anything: it is readable then */

    void (*free_data)(gpointer data); /* of the node */
} MnFileOps;

/* A directory whose files users create and remove, if it has the three operations for that. */
typedef struct MnDirOps {
    /* Called before a file is looked for in it, or all are listed; may add and unlink. */
    void (*look)(MnNode *dir);

    /* Makes the file's ops and data for a new node named `name`. */
    int (*create)(MnNode *dir, const char *name, const MnCaller *caller, const MnFileOps **ret_ops, gpointer *ret_data);
    /* Bound to the node that create() has led to. */
    void (*created)(MnNode *dir, MnNode *node);
    /* A file is to be called `name`, which may be refused. Without it files cannot be renamed. */
    int (*rename)(MnNode *dir, MnNode *node, const char *name);
    /* The node has been taken out of its directory; it may still be open. */
    void (*unlinked)(MnNode *dir, MnNode *node);

    void (*free_data)(gpointer data); /* of the directory's node */
} MnDirOps;
