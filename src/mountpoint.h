/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Sees to it that `path` is a directory one can mount on, clearing away a dead mount of ours.
 * Returns its absolute path, or "/dev/fd/N" where that was given: a /dev/fuse which is open, and mounted
 * by whoever has started us. NULL with an error that says what to do. */
char *mn_mountpoint_prepare(const char *path, gboolean may_be_nonempty, GError **error);
