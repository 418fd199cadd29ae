/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inodes: who they are, where they are, and how long they live. */
#include "node.h"

#include "loop/clock.h"

#include <errno.h>

struct MnTree {
    MnOutbox *outbox;
    MnQuota *quota;
    MnRefusals *refusals;
    uid_t uid;
    gid_t gid;
    guint64 next_ino;  /* never used twice, so that no generation is needed */
    GHashTable *nodes; /* ino -> MnNode; owned */
    MnNode *root;
};

void mn_node_touch(MnNode *node) {
    node->changed_at = mn_date_now();
}

void mn_node_forget_text(MnNode *self) {
    if (self->scratch)
        g_string_free(self->scratch, TRUE);
    self->scratch = NULL;
    g_clear_pointer(&self->text, g_ref_string_release);
}

static void node_free(MnNode *node) {
    g_assert(!node->opens);

    mn_outbox_take_back(node->tree->outbox, &node->notice);

    if (node->file_ops && node->file_ops->free_data)
        node->file_ops->free_data(node->data);
    if (node->dir_ops && node->dir_ops->free_data)
        node->dir_ops->free_data(node->data);
    g_clear_pointer(&node->children, g_ptr_array_unref);
    g_clear_pointer(&node->by_name, g_hash_table_unref);
    mn_node_forget_text(node);
    g_free(node->name);
    g_free(node);
}

static MnNode *add_node(MnTree *self, MnNode *parent, const char *name, mode_t mode, gpointer data) {
    MnNode *node = g_new0(MnNode, 1);

    node->tree = self;
    node->ino = self->next_ino++;
    node->name = g_strdup(name);
    node->mode = mode;
    node->uid = self->uid;
    node->gid = self->gid;
    node->parent = parent ? parent : node;
    node->data = data;
    node->is_linked = TRUE;
    mn_node_touch(node);

    g_hash_table_insert(self->nodes, &node->ino, node);
    if (parent) {
        g_ptr_array_add(parent->children, node);
        g_hash_table_insert(parent->by_name, node->name, node);
        parent->n_dirs += S_ISDIR(node->mode);
        parent->changed_at = node->changed_at;
    }
    return node;
}

MnTree *mn_tree_new(MnOutbox *outbox, MnQuota *quota, uid_t uid, gid_t gid) {
    MnTree *self = g_new0(MnTree, 1);

    self->outbox = outbox;
    self->quota = quota;
    self->refusals = mn_refusals_new();
    self->uid = uid;
    self->gid = gid;
    self->next_ino = MN_ROOT_INO;
    self->nodes = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)node_free);
    self->root = mn_tree_add_dir(self, NULL, "", 0755, NULL, NULL);
    return self;
}

void mn_tree_free(MnTree *self) {
    if (!self)
        return;
    g_hash_table_unref(self->nodes);
    mn_refusals_free(self->refusals);
    g_free(self);
}

MnNode *mn_tree_get_root(MnTree *self) {
    return self->root;
}

MnOutbox *mn_tree_get_outbox(const MnTree *self) {
    return self->outbox;
}

MnQuota *mn_tree_get_quota(const MnTree *self) {
    return self->quota;
}

MnRefusals *mn_tree_get_refusals(const MnTree *self) {
    return self->refusals;
}

MnNode *mn_tree_find(MnTree *self, guint64 ino) {
    return g_hash_table_lookup(self->nodes, &ino);
}

MnNode *mn_tree_add_dir(MnTree *self, MnNode *parent, const char *name, mode_t mode, const MnDirOps *ops,
                        gpointer data) {
    MnNode *node = add_node(self, parent, name, S_IFDIR | mode, data);

    node->dir_ops = ops;
    node->children = g_ptr_array_new();
    node->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    return node;
}

MnNode *mn_tree_add_file(MnTree *self, MnNode *parent, const char *name, mode_t mode, const MnFileOps *ops,
                         gpointer data) {
    MnNode *node = add_node(self, parent, name, S_IFREG | mode, data);

    node->file_ops = ops;
    return node;
}

MnNode *mn_node_find_child(const MnNode *dir, const char *name) {
    return g_hash_table_lookup(dir->by_name, name);
}

/* Directories stay, whatever becomes of what is in them. */
MnNode *mn_node_get_kind(MnNode *node) {
    while (node->parent != node->tree->root)
        node = node->parent;
    return node;
}

int mn_tree_create(MnTree *self, MnNode *dir, const char *name, mode_t mode, const MnCaller *caller, MnNode **ret) {
    const MnFileOps *ops;
    gpointer data;
    MnNode *node;
    int r;

    if (!dir || !dir->dir_ops || !dir->dir_ops->create)
        return -EPERM;
    if (mn_node_find_child(dir, name))
        return -EEXIST;

    r = dir->dir_ops->create(dir, name, caller, &ops, &data);
    if (r < 0)
        return r;

    node = mn_tree_add_file(self, dir, name, mode & 0777, ops, data);
    node->uid = caller->uid;
    node->gid = caller->gid;
    if (dir->dir_ops->created)
        dir->dir_ops->created(dir, node);

    *ret = node;
    return 0;
}

int mn_tree_rename(MnTree *self, MnNode *node, const char *name) {
    MnNode *dir = node->parent, *replaced = mn_node_find_child(dir, name);
    int r;

    if (!dir->dir_ops || !dir->dir_ops->rename)
        return -EPERM;
    if (replaced == node)
        return 0;
    r = dir->dir_ops->rename(dir, node, name);
    if (r < 0)
        return r;

    if (replaced)
        mn_tree_unlink(self, replaced);
    g_hash_table_remove(dir->by_name, node->name);
    g_free(node->name);
    node->name = g_strdup(name);
    g_hash_table_insert(dir->by_name, node->name, node);
    mn_node_touch(node);
    mn_node_touch(dir);
    return 0;
}

void mn_tree_unlink(MnTree *self, MnNode *node) {
    MnNode *dir = node->parent;

    node->is_linked = FALSE;
    g_ptr_array_remove(dir->children, node);
    g_hash_table_remove(dir->by_name, node->name);
    dir->n_dirs -= S_ISDIR(node->mode);
    mn_node_touch(dir);
    if (dir->dir_ops && dir->dir_ops->unlinked)
        dir->dir_ops->unlinked(dir, node);
    mn_tree_release_unused(self, node);
}

void mn_tree_release_unused(MnTree *self, MnNode *node) {
    if (!node->is_linked && !node->opens && node->n_lookups == 0)
        g_hash_table_remove(self->nodes, &node->ino);
}

void mn_tree_foreach(MnTree *self, void (*function)(MnNode *node)) {
    GHashTableIter iter;
    gpointer node;

    g_hash_table_iter_init(&iter, self->nodes);
    while (g_hash_table_iter_next(&iter, NULL, &node))
        function(node);
}

/* sendfile() stops at st_size, so it has to cover the text. Who maps a page without any of the text gets SIGBUS, and
 * tail begins with the last block before st_size, so part of the text has to be in the last page. And a size that is not
 * in whole pages is believed (wc -c). */
gsize mn_node_size_for(gsize len) {
    return MAX(len + 4095, 4096) / 4096 * 4096;
}

/* Not the length of the text, which is not known before it is read; and readers that see 0 do not
 * read at all. */
static gsize file_size(const MnNode *node) {
    const MnFileOps *ops = node->file_ops;
    gsize size = ops->size_now ? ops->size_now(node) : ops->size;

    return size > 0 ? size : 4096;
}

void mn_node_get_stat(const MnNode *node, struct stat *ret) {
    gboolean is_of_now = !node->children && node->file_ops->is_of_now;
    struct timespec changed_at = is_of_now ? mn_date_now() : node->changed_at;

    *ret = (struct stat){
        .st_ino = node->ino,
        .st_mode = node->mode,
        .st_nlink = node->children ? 2 + node->n_dirs : (guint)node->is_linked,
        .st_uid = node->uid,
        .st_gid = node->gid,
        .st_atim = changed_at,
        .st_mtim = changed_at,
        .st_ctim = changed_at,
        .st_blksize = 4096,
    };

    if (!node->children) {
        ret->st_size = file_size(node);
        /* wc -c goes on from the last block that st_size tells of. */
        while (ret->st_blksize < ret->st_size)
            ret->st_blksize *= 2;
    }
}
