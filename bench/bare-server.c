/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor: what a round trip through FUSE costs when the server has nothing to do.
 *
 *   bare-server MOUNTPOINT BYTES [SOCKET SOCKET-BYTES]
 *
 * A libfuse low-level server in its own loop, one thread, with two files, opened with the flags of
 * memnotifyfs:
 *
 *   constant   a read gives a text of BYTES bytes that was made at the start; a poll is answered from
 *              one flag of the open file, which a read clears
 *   control    a write of "1" sets the flag of the open file that has waited longest and notifies it,
 *              "a" does so for all that wait; "s" sends one byte to the first client of the socket, "S" a line to
 *              each of them
 *
 * and a socket, of bare-socket.h, whose answers have SOCKET-BYTES bytes.
 */
#include "bare-socket.h"
#include "fatal.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONSTANT_INO = 2,
    CONTROL_INO = 3
};

typedef struct Open Open;
struct Open {
    Open *next; /* in the order of opening */
    Open *previous;
    struct fuse_pollhandle *handle;
    int has_event;
};

static Open opens = { .next = &opens, .previous = &opens };
static char *text;
static size_t text_len;

static int fill_stat(fuse_ino_t ino, struct stat *ret) {
    *ret = (struct stat){ .st_ino = ino, .st_nlink = 1, .st_mode = S_IFREG | 0666, .st_size = 4096 };
    if (ino == FUSE_ROOT_ID) {
        ret->st_mode = S_IFDIR | 0755;
        ret->st_nlink = 2;
    }
    return ino <= CONTROL_INO ? 0 : -ENOENT;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    struct fuse_entry_param entry = { 0 };

    entry.ino = strcmp(name, "constant") == 0 ? CONSTANT_INO : CONTROL_INO;
    if (parent != FUSE_ROOT_ID || (entry.ino == CONTROL_INO && strcmp(name, "control") != 0)) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fill_stat(entry.ino, &entry.attr);
    fuse_reply_entry(req, &entry);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info __attribute__((unused))) {
    struct stat attr;

    if (fill_stat(ino, &attr) < 0)
        fuse_reply_err(req, ENOENT);
    else
        fuse_reply_attr(req, &attr, 0);
}

static void on_open(fuse_req_t req, fuse_ino_t ino __attribute__((unused)), struct fuse_file_info *info) {
    Open *open = calloc(1, sizeof *open);

    if (!open) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    open->next = &opens;
    open->previous = opens.previous;
    open->previous->next = open;
    opens.previous = open;

    info->fh = (uintptr_t)open;
    info->direct_io = 1;
    info->noflush = 1;
    fuse_reply_open(req, info);
}

static Open *open_of(const struct fuse_file_info *info) {
    return (Open *)(uintptr_t)info->fh;
}

static void on_release(fuse_req_t req, fuse_ino_t ino __attribute__((unused)), struct fuse_file_info *info) {
    Open *open = open_of(info);

    open->previous->next = open->next;
    open->next->previous = open->previous;
    if (open->handle)
        fuse_pollhandle_destroy(open->handle);
    free(open);
    fuse_reply_err(req, 0);
}

static void on_read(fuse_req_t req, fuse_ino_t ino __attribute__((unused)), size_t size, off_t offset,
                    struct fuse_file_info *info) {
    open_of(info)->has_event = 0;
    if (offset >= (off_t)text_len)
        fuse_reply_buf(req, NULL, 0);
    else
        fuse_reply_buf(req, text + offset, size < text_len - offset ? size : text_len - offset);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino __attribute__((unused)), struct fuse_file_info *info,
                    struct fuse_pollhandle *handle) {
    Open *open = open_of(info);

    if (handle) {
        if (open->handle)
            fuse_pollhandle_destroy(open->handle);
        open->handle = handle;
    }
    fuse_reply_poll(req, POLLOUT | POLLWRNORM | (open->has_event ? POLLIN | POLLRDNORM : 0));
}

static void notify(Open *open) {
    open->has_event = 1;
    fuse_lowlevel_notify_poll(open->handle);
    fuse_pollhandle_destroy(open->handle);
    open->handle = NULL;
}

static void notify_waiting(int is_one) {
    for (Open *open = opens.next; open != &opens; open = open->next)
        if (open->handle) {
            notify(open);
            if (is_one)
                break;
        }
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *command, size_t len,
                     off_t offset __attribute__((unused)), struct fuse_file_info *info __attribute__((unused))) {
    if (ino != CONTROL_INO || len == 0) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    if (command[0] == 's')
        bare_socket_tell_first();
    else if (command[0] == 'S')
        bare_socket_tell_all();
    else
        notify_waiting(command[0] == '1');
    fuse_reply_write(req, len);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .open = on_open,
    .release = on_release,
    .read = on_read,
    .write = on_write,
    .poll = on_poll,
};

static void make_text(size_t len) {
    text_len = len;
    text = malloc(len);
    if (!text)
        fatal("cannot allocate the text");
    memset(text, '0', len);
    text[len - 1] = '\n';
}

int main(int argc, char **argv) {
    char *options[] = { argv[0], "-oallow_other", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(2, options);
    struct fuse_session *session;
    int r;

    if ((argc != 3 && argc != 5) || atoi(argv[2]) < 1) {
        fprintf(stderr, "usage: %s MOUNTPOINT BYTES [SOCKET SOCKET-BYTES]\n", argv[0]);
        return 2;
    }
    make_text(atoi(argv[2]));
    if (argc == 5)
        bare_socket_start(argv[3], atoi(argv[4]));

    session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!session || fuse_set_signal_handlers(session) < 0)
        fatal("cannot make a session");
    if (fuse_session_mount(session, argv[1]) < 0)
        fatal("cannot mount at '%s'", argv[1]);

    r = fuse_session_loop(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    if (argc == 5)
        unlink(argv[3]);
    free(text);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
