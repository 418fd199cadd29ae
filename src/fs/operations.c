/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel asks, and what it is answered.
 *
 * Each operation finds its node, calls the node's own operation and gives one reply. Entries and
 * attributes are never cached by the kernel: it changes its idea of st_size after reads and writes,
 * and only a fresh answer brings it back to the size that sendfile() readers need. Permissions are
 * the kernel's to check (default_permissions). */
#include "operations.h"

#include "fs/deferred.h"
#include "fs/node.h"
#include "fs/open.h"
#include "fs/refusals.h"
#include "loop/clock.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>

static MnTree *tree_of(fuse_req_t req) {
    return fuse_req_userdata(req);
}

/* While a write is answered the kernel keeps the inode locked, and whoever else writes to it waits, whatever his signals.
 * So where an answer may take its time the kernel is shown an inode for each user. Nobody gets another's, since names are
 * never cached; st_ino is the node's for all. */
#define INODE_OF_USER (G_GUINT64_CONSTANT(1) << 63)
#define UID_SHIFT 31

static fuse_ino_t inode_for(const MnNode *node, uid_t uid) {
    if (!node->file_ops || !node->file_ops->writes_late)
        return node->ino;
    return INODE_OF_USER | (fuse_ino_t)uid << UID_SHIFT | node->ino;
}

static MnNode *find_node(MnTree *tree, fuse_ino_t ino) {
    return mn_tree_find(tree, ino & INODE_OF_USER ? ino & ((1U << UID_SHIFT) - 1) : ino);
}

static MnNode *node_of(fuse_req_t req, fuse_ino_t ino) {
    return find_node(tree_of(req), ino);
}

static MnOpen *open_of(const struct fuse_file_info *info) {
    return (MnOpen *)(gsize)info->fh;
}

static MnCaller caller_of(fuse_req_t req) {
    const struct fuse_ctx *context = fuse_req_ctx(req);

    return (MnCaller){ .uid = context->uid, .gid = context->gid, .tid = context->pid };
}

/* What LOOKUP and CREATE hand out; the kernel then holds one more reference. */
static struct fuse_entry_param entry_for(MnNode *node, uid_t uid) {
    struct fuse_entry_param entry = { .ino = inode_for(node, uid) };

    mn_node_get_stat(node, &entry.attr);
    node->n_lookups++;
    return entry;
}

static void forget(MnTree *tree, fuse_ino_t ino, guint64 n) {
    MnNode *node = find_node(tree, ino);

    if (!node)
        return;
    node->n_lookups -= MIN(n, node->n_lookups);
    mn_tree_release_unused(tree, node);
}

/* What is asked of the kernel, one by one; libfuse would ask for more. (Versions that know more than
 * 32 of them take the lower ones from here, too.) Above all not
 *
 * FUSE_CAP_ASYNC_DIO, FUSE_CAP_ASYNC_READ: such reads are requests in the background, of which the
 *     kernel sends a dozen at a time, RELEASE among them. A dozen that wait for an event would keep
 *     every RELEASE of every user from us. Without, a read belongs to the one who waits for it.
 * FUSE_CAP_AUTO_INVAL_DATA: whoever asks for attributes would wait for a page that another reads.
 * FUSE_CAP_WRITEBACK_CACHE, FUSE_CAP_SPLICE_*: texts are short, and a write is a command. */
static const guint capabilities = FUSE_CAP_ATOMIC_O_TRUNC     /* `>` is one request, not two */
                                  | FUSE_CAP_PARALLEL_DIROPS; /* nobody's lookup waits for the lock of another's */

static void on_init(void *userdata G_GNUC_UNUSED, struct fuse_conn_info *conn) {
    conn->max_write = MN_FS_WRITE_BYTES_MAX;
    conn->want = conn->capable & capabilities;
}

static MnNode *look_into(fuse_req_t req, fuse_ino_t ino) {
    MnNode *dir = node_of(req, ino);

    if (dir && dir->dir_ops && dir->dir_ops->look)
        dir->dir_ops->look(dir);
    return dir;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    MnNode *dir = look_into(req, parent);
    MnNode *node = dir && dir->children ? mn_node_find_child(dir, name) : NULL;
    struct fuse_entry_param entry;

    if (!node) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    entry = entry_for(node, caller_of(req).uid);
    fuse_reply_entry(req, &entry);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n) {
    forget(tree_of(req), ino, n);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets) {
    for (size_t i = 0; i < count; i++)
        forget(tree_of(req), forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, const MnNode *node) {
    struct stat attr;

    if (!node) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    mn_node_get_stat(node, &attr);
    fuse_reply_attr(req, &attr, 0);
}

/* The kernel says which open file it asks for when somebody seeks from its end. */
static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
    const MnNode *node = node_of(req, ino);
    struct stat attr;

    if (!node || !info || !node->file_ops || !node->file_ops->open_size) {
        reply_attr(req, node);
        return;
    }
    mn_node_get_stat(node, &attr);
    attr.st_size = node->file_ops->open_size(open_of(info));
    fuse_reply_attr(req, &attr, 0);
}

/* Mode and owner are taken over; a size is accepted, since `>` and truncate(2) set it, and means
 * nothing; so do times. */
static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *info G_GNUC_UNUSED) {
    MnNode *node = node_of(req, ino);

    if (node && (to_set & FUSE_SET_ATTR_MODE))
        node->mode = (node->mode & S_IFMT) | (attr->st_mode & 07777);
    if (node && (to_set & FUSE_SET_ATTR_UID))
        node->uid = attr->st_uid;
    if (node && (to_set & FUSE_SET_ATTR_GID))
        node->gid = attr->st_gid;
    if (node && (to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)))
        mn_node_touch(node);
    reply_attr(req, node);
}

/* The offset of an entry is its inode number: they ascend, so that a listing goes on at the right
 * place when files come and go meanwhile. "." and ".." have 1 and 2 less than any child. */
static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *info G_GNUC_UNUSED) {
    MnNode *dir = look_into(req, ino);
    g_autofree char *buffer = g_malloc(size);
    size_t used = 0, need = 0;

    if (!dir || !dir->children) {
        fuse_reply_err(req, ENOTDIR);
        return;
    }

    for (gint64 i = -2; i < dir->children->len; i++) {
        MnNode *node = i == -2 ? dir : i == -1 ? dir->parent : g_ptr_array_index(dir->children, i);
        const char *name = i == -2 ? "." : i == -1 ? ".." : node->name;
        off_t next = i < 0 ? i + 3 : (off_t)node->ino + 2;
        struct stat attr = { .st_ino = node->ino, .st_mode = node->mode };

        if (next <= offset)
            continue;
        need = fuse_add_direntry(req, buffer + used, size - used, name, &attr, next);
        if (need > size - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, buffer, used);
}

/* direct_io: every read reaches us. No FLUSH: closing a file is no event for us. */
static void fill_open_info(struct fuse_file_info *info, const MnOpen *open) {
    info->fh = (gsize)open;
    info->direct_io = 1;
    info->noflush = 1;
    info->nonseekable = open->node->file_ops->take != NULL;
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
    MnNode *node = node_of(req, ino);
    MnCaller caller = caller_of(req);
    MnOpen *open;
    int r;

    r = !node ? -ENOENT : !node->file_ops ? -EISDIR : mn_open_new(node, &caller, info->flags, &open);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }
    fill_open_info(info, open);
    mn_open_answer_opening(open, tree_of(req), req, info, r);
}

static void on_release(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, struct fuse_file_info *info) {
    MnOpen *open = open_of(info);
    MnNode *node = open->node;

    mn_open_free(open);
    mn_tree_release_unused(tree_of(req), node);
    fuse_reply_err(req, 0);
}

/* For mmap, splice and sendfile the kernel reads a page of its cache, in nobody's name, and keeps that
 * page locked until it is answered: who opens the file or walks that memory then waits, whoever he is
 * and whatever his signals. So a page is never filled from a stream, which may answer next year. */
static gboolean is_of_page_cache(const struct fuse_file_info *info) {
    return info->lock_owner == 0;
}

static void on_read(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, size_t size, off_t offset,
                    struct fuse_file_info *info) {
    MnOpen *open = open_of(info);

    if (open->node->file_ops->take && is_of_page_cache(info))
        fuse_reply_err(req, EINVAL);
    else
        mn_open_read(open, req, size, offset, info->flags);
}

/* "thresholds/low"; to be freed. There are no directories in directories. */
static char *path_of(const MnNode *node) {
    return node->parent->ino == MN_ROOT_INO ? g_strdup(node->name)
                                            : g_strdup_printf("%s/%s", node->parent->name, node->name);
}

static void keep_refusal(const MnOpen *open, const MnWrite *write, int r) {
    g_autofree char *path = path_of(open->node);
    MnRefusal refusal = {
        .time_us = mn_clock_now_us(&mn_machine_clock),
        .path = path,
        .error = r,
        .fault = write->fault,
        .text = write->text,
        .len = write->len,
    };

    mn_refusals_add(mn_tree_get_refusals(open->node->tree), mn_account_get_uid(open->account), &refusal);
}

static void on_write(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, const char *text, size_t len, off_t offset,
                     struct fuse_file_info *info) {
    MnOpen *open = open_of(info);
    MnFault fault = { 0 };
    MnWrite write = { .text = text, .len = len, .offset = offset, .caller = caller_of(req), .fault = &fault };
    int r;

    r = mn_open_begin_writing(open, len);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }
    r = open->node->file_ops->write ? open->node->file_ops->write(open, &write) : -EINVAL;
    if (r < 0)
        keep_refusal(open, &write, r);
    mn_open_answer_writing(open, req, len, r);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, struct fuse_file_info *info,
                    struct fuse_pollhandle *handle) {
    mn_open_poll(open_of(info), req, handle);
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info) {
    MnTree *tree = tree_of(req);
    MnCaller caller = caller_of(req);
    struct fuse_entry_param entry;
    MnNode *node;
    MnOpen *open;
    int r;

    r = mn_tree_create(tree, node_of(req, parent), name, mode, &caller, &node);
    if (r == 0) {
        r = mn_open_new(node, &caller, info->flags, &open);
        if (r < 0)
            mn_tree_unlink(tree, node);
    }
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }

    entry = entry_for(node, caller.uid);
    fill_open_info(info, open);
    if (fuse_reply_create(req, &entry, info) == -ENOENT) { /* as in on_open() */
        node->n_lookups--;
        mn_open_free(open);
    }
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name) {
    MnNode *dir = node_of(req, parent);
    MnNode *node = dir && dir->children ? mn_node_find_child(dir, name) : NULL;

    if (!node) {
        fuse_reply_err(req, ENOENT);
    } else if (!dir->dir_ops || !dir->dir_ops->unlinked) {
        fuse_reply_err(req, EPERM);
    } else {
        mn_tree_unlink(tree_of(req), node);
        fuse_reply_err(req, 0);
    }
}

static int rename_node(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
                       guint flags) {
    MnNode *dir = node_of(req, parent);
    MnNode *node = dir && dir->children ? mn_node_find_child(dir, name) : NULL;

    if (flags & ~(guint)RENAME_NOREPLACE)
        return -EINVAL;
    if (!node)
        return -ENOENT;
    if (new_parent != parent)
        return -EPERM;
    if ((flags & RENAME_NOREPLACE) && mn_node_find_child(dir, new_name))
        return -EEXIST;
    return mn_tree_rename(tree_of(req), node, new_name);
}

/* Whose the two files are the kernel has looked at. */
static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
                      guint flags) {
    int r;

    r = rename_node(req, parent, name, new_parent, new_name, flags);
    fuse_reply_err(req, -r);
}

const struct fuse_lowlevel_ops mn_fs_operations = {
    .init = on_init,
    .lookup = on_lookup,
    .forget = on_forget,
    .forget_multi = on_forget_multi,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .readdir = on_readdir,
    .open = on_open,
    .release = on_release,
    .read = on_read,
    .write = on_write,
    .poll = on_poll,
    .create = on_create,
    .unlink = on_unlink,
    .rename = on_rename,
};
