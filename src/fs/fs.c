/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The FUSE session in the main loop: takes the kernel's requests when there are some.
 *
 * Where there is more than one they wait in fs/requests until it is their turn, so that we know whose they are. Whoever
 * comes later is found when we look again, which we do every LOOK_AGAIN_US. */
#include "fs.h"

#include "fs/open.h"
#include "fs/operations.h"
#include "fs/requests.h"
#include "loop/clock.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

/* Requests served in a row before other sources of the main loop have their turn. */
#define REQUESTS_IN_A_ROW 64

/* Requests taken before one is served: whoever is refused may ask again at once. */
#define REQUESTS_AT_A_LOOK 256

/* Others wait for so long, and for one request, until it is known that they are there. Less would be one more system call
 * for each request. */
#define LOOK_AGAIN_US 5

/* One who asks again as soon as he is answered is found by looking for one, and is served without waiting. Each
 * so many-th time it is seen whether there are more. */
#define LOOKS_FOR_ONE 4

/* A client that waits for each answer has one request at a time, and looking for a second costs a
 * system call in vain. So after such a look only each so many-th turn looks again. */
#define TURNS_BETWEEN_LOOKS 16

/* What the kernel wants room for: the largest write and what is in front of it. */
#define REQUEST_BYTES_MAX (MN_FS_WRITE_BYTES_MAX + 4096)

struct MnFs {
    MnTree *tree;
    struct fuse_session *session;
    struct fuse_buf buffer; /* of REQUEST_BYTES_MAX; its size is that of the request in it */
    MnRequests *requests;
    gboolean is_mounted;
    gboolean has_begun; /* INIT was answered */
    int error;          /* of reading the kernel's requests */
    guint single_turns; /* turns left that take one request without looking for more */
    GMainLoop *loop;
    GSource *source;
};

/* Takes one request from the kernel into the buffer. FALSE when there is none.
 *
 * libfuse's own way writes to stderr, and for an unmount that comes in the middle of a read. That the kernel calls
 * ECONNABORTED, as it does an abort; whoever reads again is told which it was (fuse_dev_do_read() in fs/fuse/dev.c). */
static gboolean take_one(MnFs *self) {
    int fd = fuse_session_fd(self->session);
    ssize_t r;

    r = read(fd, self->buffer.mem, REQUEST_BYTES_MAX);
    if (r < 0 && errno == ECONNABORTED)
        r = read(fd, self->buffer.mem, REQUEST_BYTES_MAX);
    if (r >= 0) {
        self->buffer.size = r;
        return r > 0;
    }

    if (errno == ENODEV) /* unmounted */
        fuse_session_exit(self->session);
    else if (errno != EINTR && errno != EAGAIN)
        self->error = -errno;
    return FALSE;
}

static void serve(gpointer data, gpointer request, gsize len) {
    MnFs *self = data;
    struct fuse_buf buffer = { .mem = request, .size = len };

    mn_outbox_flush(mn_tree_get_outbox(self->tree)); /* who is to be told is told before he asks */
    fuse_session_process_buf(self->session, &buffer);
}

static void serve_taken(MnFs *self) {
    serve(self, self->buffer.mem, self->buffer.size);
    self->has_begun = TRUE;
}

static gboolean is_over(const MnFs *self) {
    return fuse_session_exited(self->session) || self->error < 0;
}

/* Where nobody waits. How many that were. */
static guint serve_one(MnFs *self) {
    if (!take_one(self))
        return 0;
    serve_taken(self);
    return 1;
}

/* Takes what the kernel has and puts it where it waits for its turn. How many that were. */
static guint look(MnFs *self) {
    const struct fuse_buf *buffer = &self->buffer;
    guint n;

    for (n = 0; n < REQUESTS_AT_A_LOOK && take_one(self); n++) {
        int r;

        if (mn_requests_is_urgent(self->requests, buffer->mem)) {
            serve_taken(self);
            continue;
        }
        r = mn_requests_put(self->requests, buffer->mem, buffer->size);
        if (r < 0)
            mn_request_refuse(buffer->mem, fuse_session_fd(self->session), r);
    }
    return n;
}

/* Serves those who wait until it is time to look again. How many that were. */
static guint serve_waiting(MnFs *self, guint most) {
    gint64 looked_us = mn_clock_now_us(&mn_machine_clock);
    guint n = 0;

    while (n < most && mn_requests_serve_next(self->requests, serve, self)) {
        n++;
        if (mn_clock_now_us(&mn_machine_clock) - looked_us >= LOOK_AGAIN_US)
            break;
    }
    return n;
}

/* How many it has taken. */
static guint serve_in_turn(MnFs *self) {
    guint n = 0, n_taken = 0, n_looks = 0;

    while (n < REQUESTS_IN_A_ROW && n_taken < REQUESTS_AT_A_LOOK && !is_over(self)) {
        gboolean is_for_one = !mn_requests_are_waiting(self->requests) && ++n_looks % LOOKS_FOR_ONE != 0;
        guint taken = is_for_one ? serve_one(self) : look(self);

        if (taken == 0 && !mn_requests_are_waiting(self->requests))
            break;
        n_taken += taken;
        n += is_for_one ? 1 : serve_waiting(self, REQUESTS_IN_A_ROW - n);
    }
    return n_taken;
}

static gboolean on_requests(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data) {
    MnFs *self = user_data;

    if (self->single_turns > 0) {
        self->single_turns--;
        serve_one(self);
    } else if (serve_in_turn(self) == 1 && !mn_requests_are_waiting(self->requests)) {
        self->single_turns = TURNS_BETWEEN_LOOKS;
    }
    g_source_set_ready_time(self->source, mn_requests_are_waiting(self->requests) ? 0 : -1);

    if (is_over(self)) {
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
    self->session = fuse_session_new(args, &mn_fs_operations, sizeof mn_fs_operations, tree);
    if (!self->session)
        return -EINVAL;
    self->buffer.mem = g_malloc(REQUEST_BYTES_MAX);
    self->requests = mn_requests_new(mn_tree_get_quota(tree));

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

/* The kernel asks INIT as soon as it mounts, so that this waits for nobody. Where libfuse refuses, for us or for the
 * kernel, its session ends. */
int mn_fs_begin(MnFs *self) {
    struct pollfd entry = { .fd = fuse_session_fd(self->session), .events = POLLIN };
    int r;

    while (!self->has_begun && !is_over(self)) {
        poll(&entry, 1, -1);
        serve_one(self);
    }
    r = mn_fs_get_error(self);
    return r == 0 && is_over(self) ? -ENODEV : r;
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
    mn_requests_free(self->requests);
    g_free(self->buffer.mem);
    g_free(self);
}
