/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mount.h"
#include "place.h"

#include <glib.h>

/* Where a server may be: at `place`, where that is not NULL, else where libmemnotifyfs(3) looks. -ENAMETOOLONG. */
int cmd_where_list(const char *place, struct places *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Whether somebody has named the place. */
gboolean cmd_where_is_named(const char *place);

/* Opens the mount of a server at `place`, or at the first of the usual places (libmemnotifyfs(3)) that has one. -errno: why
 * there is none; -ENOTCONN: there is one whose server has ended. *ret_path, to be freed, is where it is. */
int cmd_where_find_mount(const char *place, struct mount *ret, char **ret_path) G_GNUC_WARN_UNUSED_RESULT;

/* Appends what a file of the mount shows to the text, to its end. */
int cmd_where_read(const struct mount *mount, const char *name, GString *text) G_GNUC_WARN_UNUSED_RESULT;
