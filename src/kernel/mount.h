/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The mounts that we see. */

/* Where the filesystem of that device is mounted, to be freed; NULL when it cannot be seen. */
char *mn_mount_find(dev_t device) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the topmost mount at `path` is of that type. */
gboolean mn_mount_is_of_type(const char *path, const char *type);

/* The path without links and without "." and "..", to be freed. What is at its end may be a dead mount, of which nothing can
 * be asked, and nothing is. */
char *mn_mount_resolve(const char *path);
