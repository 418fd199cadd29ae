/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FUSE session in the main loop.
 *
 * Each operation finds its node, calls the node's own operation and gives one reply. Entries and
 * attributes are never cached by the kernel: it changes its idea of st_size after reads and writes,
 * and only a fresh answer brings it back to the size that sendfile() readers need. Permissions are
 * the kernel's to check (default_permissions). */
#include "fs.h"

#include "fs/deferred.h"
#include "fs/open.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdlib.h>

/* The largest write that reaches us in one piece, and so the largest that can be refused whole. */
#define WRITE_BYTES_MAX (128 * 1024)

/* Requests taken in a row before other sources of the main loop have their turn. */
#define REQUESTS_IN_A_ROW 64

/* A client that waits for each answer has one request at a time, and looking for a second costs a
 * system call in vain. So after such a look only each so many-th turn looks again. */
#define TURNS_BETWEEN_LOOKS 16

struct MnFs {
    MnTree *tree;
    struct fuse_session *session;
    struct fuse_buf buffer;
    gboolean is_mounted;
    gboolean has_new_buffer_size;
    int error;          /* of reading the kernel's requests */
    guint single_turns; /* turns left that take one request without looking for more */
    GMainLoop *loop;
    GSource *source;
};

static MnFs *fs_of(fuse_req_t req) {
    return fuse_req_userdata(req);
}

static MnNode *node_of(fuse_req_t req, fuse_ino_t ino) {
    return mn_tree_find(fs_of(req)->tree, ino);
}

static MnOpen *open_of(const struct fuse_file_info *info) {
    return (MnOpen *)(gsize)info->fh;
}

static MnCaller caller_of(fuse_req_t req) {
    const struct fuse_ctx *context = fuse_req_ctx(req);

    return (MnCaller){ .uid = context->uid, .gid = context->gid, .tid = context->pid };
}

/* What LOOKUP and CREATE hand out; the kernel then holds one more reference. */
static struct fuse_entry_param entry_for(MnNode *node) {
    struct fuse_entry_param entry = { .ino = node->ino };

    mn_node_get_stat(node, &entry.attr);
    node->n_lookups++;
    return entry;
}

static void forget(MnFs *self, fuse_ino_t ino, guint64 n) {
    MnNode *node = mn_tree_find(self->tree, ino);

    if (!node)
        return;
    node->n_lookups -= MIN(n, node->n_lookups);
    mn_tree_release_unused(self->tree, node);
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

static void on_init(void *userdata, struct fuse_conn_info *conn) {
    MnFs *self = userdata;

    conn->max_write = WRITE_BYTES_MAX;
    conn->want = conn->capable & capabilities;
    self->has_new_buffer_size = TRUE;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    MnNode *dir = node_of(req, parent);
    MnNode *node = dir && dir->children ? mn_node_find_child(dir, name) : NULL;
    struct fuse_entry_param entry;

    if (!node) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    entry = entry_for(node);
    fuse_reply_entry(req, &entry);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n) {
    forget(fs_of(req), ino, n);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets) {
    for (size_t i = 0; i < count; i++)
        forget(fs_of(req), forgets[i].ino, forgets[i].nlookup);
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
        clock_gettime(CLOCK_REALTIME, &node->changed_at);
    reply_attr(req, node);
}

/* The offset of an entry is its inode number: they ascend, so that a listing goes on at the right
 * place when files come and go meanwhile. "." and ".." have 1 and 2 less than any child. */
static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *info G_GNUC_UNUSED) {
    MnNode *dir = node_of(req, ino);
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
    MnOpen *open;
    int r;

    r = !node ? -ENOENT : !node->file_ops ? -EISDIR : mn_open_new(node, caller_of(req).uid, info->flags, &open);
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }
    fill_open_info(info, open);
    mn_open_answer_opening(open, fs_of(req)->tree, req, info, r);
}

static void on_release(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, struct fuse_file_info *info) {
    MnOpen *open = open_of(info);
    MnNode *node = open->node;

    mn_open_free(open);
    mn_tree_release_unused(fs_of(req)->tree, node);
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

static void on_write(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, const char *text, size_t len, off_t offset,
                     struct fuse_file_info *info) {
    MnOpen *open = open_of(info);
    MnWrite write = { .text = text, .len = len, .offset = offset, .caller = caller_of(req) };
    int r;

    r = !open->node->file_ops->write ? -EINVAL : open->deferred ? -EBUSY : open->node->file_ops->write(open, &write);
    mn_open_answer_writing(open, req, len, r);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino G_GNUC_UNUSED, struct fuse_file_info *info,
                    struct fuse_pollhandle *handle) {
    mn_open_poll(open_of(info), req, handle);
}

static int create_node(MnTree *tree, MnNode *dir, const char *name, mode_t mode, const MnCaller *caller, MnNode **ret) {
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

    node = mn_tree_add_file(tree, dir, name, mode & 0777, ops, data);
    node->uid = caller->uid;
    node->gid = caller->gid;
    if (dir->dir_ops->created)
        dir->dir_ops->created(dir, node);

    *ret = node;
    return 0;
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info) {
    MnFs *self = fs_of(req);
    MnCaller caller = caller_of(req);
    struct fuse_entry_param entry;
    MnNode *node;
    MnOpen *open;
    int r;

    r = create_node(self->tree, node_of(req, parent), name, mode, &caller, &node);
    if (r == 0) {
        r = mn_open_new(node, caller.uid, info->flags, &open);
        if (r < 0)
            mn_tree_unlink(self->tree, node);
    }
    if (r < 0) {
        fuse_reply_err(req, -r);
        return;
    }

    entry = entry_for(node);
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
        mn_tree_unlink(fs_of(req)->tree, node);
        fuse_reply_err(req, 0);
    }
}

static const struct fuse_lowlevel_ops operations = {
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
};

/* Takes one request from the kernel and answers it. FALSE when there is none. */
static gboolean serve_one(MnFs *self) {
    int r;

    r = fuse_session_receive_buf(self->session, &self->buffer);
    if (r < 0 && r != -EINTR && r != -EAGAIN)
        self->error = r;
    if (r <= 0)
        return FALSE;
    fuse_session_process_buf(self->session, &self->buffer);

    if (self->has_new_buffer_size) { /* the first buffer is for writes of 1 MiB */
        self->has_new_buffer_size = FALSE;
        g_clear_pointer(&self->buffer.mem, free);
    }
    return TRUE;
}

static gboolean on_requests(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    MnFs *self = user_data;
    guint n = 0, most = self->single_turns > 0 ? 1 : REQUESTS_IN_A_ROW;

    while (n < most && serve_one(self))
        n++;
    if (self->single_turns > 0)
        self->single_turns--;
    else if (n == 1)
        self->single_turns = TURNS_BETWEEN_LOOKS;

    if (fuse_session_exited(self->session) || self->error < 0) {
        g_main_loop_quit(self->loop);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

/* What libfuse says once we serve; it would write to stderr and wait until that is read. */
static void on_libfuse_message(enum fuse_log_level level, const char *format, va_list arguments) {
    g_autofree char *message = g_strdup_vprintf(format, arguments);

    g_log(G_LOG_DOMAIN, level <= FUSE_LOG_WARNING ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_DEBUG, "%s", g_strchomp(message));
}

int mn_fs_new(MnTree *tree, struct fuse_args *args, MnFs **ret) {
    g_autoptr(MnFs) self = g_new0(MnFs, 1);

    self->tree = tree;
    self->session = fuse_session_new(args, &operations, sizeof operations, self);
    if (!self->session)
        return -EINVAL;

    *ret = g_steal_pointer(&self);
    return 0;
}

int mn_fs_mount(MnFs *self, const char *directory) {
    int fd;

    if (fuse_session_mount(self->session, directory) < 0)
        return -EIO;
    self->is_mounted = TRUE;

    fd = fuse_session_fd(self->session);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

void mn_fs_attach(MnFs *self, GMainLoop *loop) {
    fuse_set_log_func(on_libfuse_message);
    self->loop = loop;
    self->source = g_unix_fd_source_new(fuse_session_fd(self->session), G_IO_IN | G_IO_ERR | G_IO_HUP);
    g_source_set_callback(self->source, G_SOURCE_FUNC(on_requests), self, NULL);
    g_source_set_static_name(self->source, "fuse");
    /* We never run the loop from within; that it may saves three system calls a turn, by which GLib
     * takes the descriptor out of its poll set and puts it back. */
    g_source_set_can_recurse(self->source, TRUE);
    g_source_attach(self->source, NULL);
}

gboolean mn_fs_is_cut(const MnFs *self) {
    struct pollfd entry = { .fd = fuse_session_fd(self->session) };

    return poll(&entry, 1, 0) == 1 && (entry.revents & POLLERR);
}

/* What libfuse ends by itself it has said something about: the kernel is too old for it. */
int mn_fs_get_error(const MnFs *self) {
    if (self->error < 0)
        return self->error;
    return fuse_session_exited(self->session) && !mn_fs_is_cut(self) ? -EPROTO : 0;
}

void mn_fs_free(MnFs *self) {
    if (!self)
        return;
    if (self->source) {
        g_source_destroy(self->source);
        g_source_unref(self->source);
    }
    if (self->session) {
        mn_tree_foreach(self->tree, mn_node_end_stream);
        if (self->is_mounted)
            fuse_session_unmount(self->session);
        fuse_session_destroy(self->session);
    }
    mn_tree_foreach(self->tree, mn_node_close_all); /* no RELEASE comes for these any more */
    free(self->buffer.mem);
    g_free(self);
}
