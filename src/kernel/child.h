/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A process of ours, and our end of a socket (SOCK_SEQPACKET) to it. */
typedef struct MnChild {
    pid_t pid;
    int pidfd;
    int socket;
} MnChild;

/* What it does, with its end of the socket; `data` is its own copy. */
typedef void (*MnChildRun)(int socket, gpointer data);

/* Forks. The process has our privileges and memory, and of what we have open only the standard descriptors; it is called
 * `name`, and runs run() with its end of the socket, which it reads the end of when we have ended by whatever means. It
 * ends with us at the latest, unless it `outlives_us`: then nothing but SIGKILL ends it before it does so itself. -EAGAIN,
 * -EMFILE, -ENFILE, -ENOMEM when it cannot be had, -EIO when it was killed at once. */
int mn_child_start(const char *name, gboolean outlives_us, MnChildRun run, gpointer data, MnChild *ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* Sends SIGKILL to a process that was not waited for. */
void mn_child_kill(const MnChild *self);
