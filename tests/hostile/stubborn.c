/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stubborn MOUNTPOINT: a filesystem with the files poll, read and flush, each of which never answers the
 * request that it is named for, and says so: "holds poll". Whoever waits for that may hold locks of the
 * kernel; until the connection is aborted nothing ends it, also no SIGKILL. */
#define FUSE_USE_VERSION 35
#include "attacker.h"

#include <fuse_lowlevel.h>
#include <poll.h>
#include <sys/stat.h>

enum {
    POLL = FUSE_ROOT_ID + 1,
    READ,
    FLUSH
};

static const char *const names[] = { [POLL] = "poll", [READ] = "read", [FLUSH] = "flush" };

static struct stat attributes_of(fuse_ino_t ino) {
    return (struct stat){
        .st_ino = ino, .st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666, .st_nlink = 1, .st_size = 4096
    };
}

/* TRUE when the request is the one that is never answered. */
static int holds(fuse_ino_t ino, fuse_ino_t held) {
    if (ino != held)
        return 0;
    printf("holds %s\n", names[held]);
    fflush(stdout);
    return 1;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name) {
    (void)parent;
    for (fuse_ino_t ino = POLL; ino <= FLUSH; ino++)
        if (strcmp(name, names[ino]) == 0) {
            struct fuse_entry_param entry = { .ino = ino, .attr = attributes_of(ino) };

            fuse_reply_entry(req, &entry);
            return;
        }
    fuse_reply_err(req, ENOENT);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
    struct stat attributes = attributes_of(ino);

    (void)info;
    fuse_reply_attr(req, &attributes, 0);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
    (void)ino;
    fuse_reply_open(req, info);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info) {
    (void)size, (void)offset, (void)info;
    if (!holds(ino, READ))
        fuse_reply_buf(req, NULL, 0);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info, struct fuse_pollhandle *handle) {
    (void)info;
    if (handle)
        fuse_pollhandle_destroy(handle);
    if (!holds(ino, POLL))
        fuse_reply_poll(req, POLLIN);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info) {
    (void)info;
    if (!holds(ino, FLUSH))
        fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .open = on_open,
    .read = on_read,
    .poll = on_poll,
    .flush = on_flush,
};

int main(int argc, char **argv) {
    char *options[] = { argv[0], "-oallow_other,fsname=stubborn" };
    struct fuse_args args = FUSE_ARGS_INIT(2, options);
    struct fuse_session *session;

    demand_arguments(argc, 1, "stubborn MOUNTPOINT");
    session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!session || fuse_session_mount(session, argv[1]) < 0)
        return EXIT_FAILURE;
    say("ready");
    return fuse_session_loop(session) < 0;
}
