/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Whether a threshold may have that name. -ENAMETOOLONG: over MEMNOTIFYFS_NAME_MAX bytes. -EINVAL: "-"; a blank or control
 * character, which would break the lines of events, or bytes that are no UTF-8; or a dot in front, as editors give to what
 * they keep beside a file. */
int mn_name_check(const char *name) G_GNUC_WARN_UNUSED_RESULT;
