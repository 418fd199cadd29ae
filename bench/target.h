/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

typedef struct Target Target;

/* One way to be told: by whom, through what, and what makes him do it. */
typedef struct TargetKind {
    const char *name;    /* of its series */
    const char *control; /* the file that is written to; NULL: a connection */
    int (*open_client)(const Target *self, unsigned i);
    void (*take)(int fd);                        /* the client reads what he was told, to be ready for the next event */
    void (*raise_one)(Target *self, unsigned i); /* client i has an event; may be NULL */
    void (*raise_all)(Target *self);             /* all clients have one */
} TargetKind;

/* A file system with something to wait for and something that makes it ready: memnotifyfs --simulate, or the bare
 * server, each with its socket beside its mount point where that is used. */
struct Target {
    const TargetKind *kind;
    const char *mount;
    int control_fd;
    uint64_t first_pages; /* of ours: the limit of client 0 */
    int is_up;
};

/* Limits of neighbouring clients of ours are this far apart. */
#define TARGET_STEP_PAGES 10

/* By the name of its kind:
 *
 *   ours     a write to simulate, poll of memnotify
 *   floor    a write to the bare server's control, poll of its file
 *   socket   a write to simulate, lines through the socket
 *   byte     a write to the bare server's control, one byte through its socket
 *   lines    a write to the bare server's control, a line through its socket to each
 *   echo     one byte to the bare server's socket, one byte through it: no file system takes part
 */
void target_open(Target *self, const char *kind, const char *mount);
void target_close(Target *self);
