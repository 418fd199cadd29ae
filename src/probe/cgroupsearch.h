/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Finds our own control group below a directory of control groups, which may be itself, by looking into all of them until
 * one has us among its processes. *ret_path, to be freed, is its directory. -ENOENT: it is not there, or there are more
 * than 32768. Takes about 20 us for each group, so it is only for the start. */
int mn_cgroup_search_own(const char *directory, char **ret_path) G_GNUC_WARN_UNUSED_RESULT;
