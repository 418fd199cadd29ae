/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* 3 for "/dev/fd/3", which is no place but a /dev/fuse that somebody has opened and mounted for us; -1 for
 * a place. */
int mn_mountpoint_get_descriptor(const char *path);

/* Sees to it that `path` is a directory one can mount on, clearing away a dead mount of ours.
 * Returns its absolute path, or "/dev/fd/N" where that was given. NULL with an error that says what to do. */
char *mn_mountpoint_prepare(const char *path, gboolean may_be_nonempty, GError **error);
