/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fs/file.h"
#include "fs/refusals.h"
#include "loop/outbox.h"
#include "quota/quota.h"

#include <sys/stat.h>
#include <sys/types.h>

/* A served file or directory. It lives as long as it is linked, open, or known to the kernel. */
struct MnNode {
    MnTree *tree;
    guint64 ino;
    char *name;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    MnNode *parent;
    gboolean is_linked;
    guint64 n_lookups; /* the kernel's references, given back by FORGET */
    struct timespec changed_at;

    const MnFileOps *file_ops; /* of a file */
    const MnDirOps *dir_ops;   /* of a directory in which users may create and remove files */
    gpointer data;             /* for the ops; freed by the ops' free_data */

    GPtrArray *children; /* of a directory, by ascending ino; owned */
    GHashTable *by_name; /* the same */
    guint n_dirs;        /* how many of them are directories */
    MnOpen *opens;       /* of a file: all that have it open */
    guint n_opens;       /* of what is in the root: how often it is open, or what is in it */
    guint64 n_wakeups;   /* the same: how often somebody who waited for it was woken */
    MnNotice notice;     /* that all of these are to be woken */
    GString *scratch;    /* of a text file: where its texts are made; NULL before the first */
    GRefString *text;    /* the last of them */
};

/* The inodes. */
typedef struct MnTree MnTree;

#define MN_ROOT_INO 1

/* A tree with an empty root directory. Files belong to uid and gid unless changed. Who waits for them is woken by the
 * outbox, who opens them is charged by the quota; both stay the caller's and outlive the tree. */
MnTree *mn_tree_new(MnOutbox *outbox, MnQuota *quota, uid_t uid, gid_t gid);
void mn_tree_free(MnTree *self); /* with all nodes; nothing may be open */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnTree, mn_tree_free)

MnNode *mn_tree_get_root(MnTree *self);
MnOutbox *mn_tree_get_outbox(const MnTree *self);
MnQuota *mn_tree_get_quota(const MnTree *self);
MnRefusals *mn_tree_get_refusals(const MnTree *self); /* of writes to its files */

/* The node of that number, or NULL. */
MnNode *mn_tree_find(MnTree *self, guint64 ino);

MnNode *mn_tree_add_dir(MnTree *self, MnNode *parent, const char *name, mode_t mode, const MnDirOps *ops,
                        gpointer data);
MnNode *mn_tree_add_file(MnTree *self, MnNode *parent, const char *name, mode_t mode, const MnFileOps *ops,
                         gpointer data);

/* As open(2) with O_CREAT makes it: a file of the caller's in a directory whose files users create. -EPERM: it is none, or
 * there is none, for NULL. -EEXIST; or what its create() returns. */
int mn_tree_create(MnTree *self, MnNode *dir, const char *name, mode_t mode, const MnCaller *caller, MnNode **ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* As rename(2) within its directory: who has that name already is unlinked. -EPERM: files there cannot be renamed; or what
 * the directory's rename() returns. */
int mn_tree_rename(MnTree *self, MnNode *node, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* NULL when `dir` has none of that name. */
MnNode *mn_node_find_child(const MnNode *dir, const char *name);

/* Takes a node out of its directory. It is freed when nobody holds it any more. */
void mn_tree_unlink(MnTree *self, MnNode *node);

/* Frees a node that is not linked, not open and not known to the kernel; leaves others alone. */
void mn_tree_release_unused(MnTree *self, MnNode *node);

void mn_tree_foreach(MnTree *self, void (*function)(MnNode *node));

/* The st_size to report for a text that has `len` bytes now: the pages that it takes. */
gsize mn_node_size_for(gsize len);

/* The file or directory in the root that it is, or is in: what is counted by kind is counted there. */
MnNode *mn_node_get_kind(MnNode *node);

/* Gives back what is kept of its last text. */
void mn_node_forget_text(MnNode *self);

/* Its mode, owner or entries have changed now. */
void mn_node_touch(MnNode *node);

void mn_node_get_stat(const MnNode *node, struct stat *ret);
