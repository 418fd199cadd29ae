/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fs/node.h"

struct fuse_args;

/* The FUSE session: turns the kernel's requests into calls of the nodes' operations. */
typedef struct MnFs MnFs;

/* A session over `tree`, which stays the caller's. `args` are libfuse's mount options, consumed.
 * -EINVAL when libfuse does not understand them; it has said so on stderr. */
int mn_fs_new(MnTree *tree, struct fuse_args *args, MnFs **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Ends all waiting, unmounts and closes every open file that is left; accepts NULL. */
void mn_fs_free(MnFs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnFs, mn_fs_free)

/* Mounts at `directory`; libfuse says on stderr what went wrong. -EIO: it did. */
int mn_fs_mount(MnFs *self, const char *directory) G_GNUC_WARN_UNUSED_RESULT;

/* Answers the kernel's first request, INIT, by which both find out whether they understand each other; libfuse says on
 * stderr what it does not like. -ENODEV when we were unmounted before it, else as mn_fs_get_error(). */
int mn_fs_begin(MnFs *self) G_GNUC_WARN_UNUSED_RESULT;

/* Serves requests from `loop`, and quits it when no more come: see mn_fs_is_cut() and mn_fs_get_error().
 * From then on what libfuse says are messages of GLib. */
void mn_fs_attach(MnFs *self, GMainLoop *loop);

/* Whether the kernel has ended the connection, because we were unmounted or because it was aborted. */
gboolean mn_fs_is_cut(const MnFs *self);

/* -errno when requests cannot be read any more for another reason, else 0. */
int mn_fs_get_error(const MnFs *self);
