/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* 3 for "/dev/fd/3", which is no place but a /dev/fuse that somebody has opened and mounted for us; -1 for
 * a place. */
int mn_mountpoint_get_descriptor(const char *path);

/* Sees to it that `path` is a directory one can mount on, clearing away a dead mount of ours.
 * Returns its absolute path, or "/dev/fd/N" where that was given. NULL with an error that says what to do. */
char *mn_mountpoint_prepare(const char *path, gboolean may_be_nonempty, GError **error);

/* The filesystem that is on top at `path`. Asks the kernel alone, so that its server may do this. -errno. */
int mn_mountpoint_find_device(const char *path, dev_t *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Whether `device` is still on top at `path`, but has nobody who serves it. Not for who serves it. */
gboolean mn_mountpoint_is_dead(const char *path, dev_t device);

/* Takes away what is on top at `path`. FALSE when that is not permitted. */
gboolean mn_mountpoint_clear(const char *path);
