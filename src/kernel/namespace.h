/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Translates pids as thread `tid` means them into ours, in place; those that do not exist in its pid namespace become
 * 0. -EPERM when they cannot be known: `tid` is 0 (it is in a namespace that we do not see into), we may not look at
 * its namespace, or /proc is that of another than ours. Only in the helper. */
int mn_namespace_translate(pid_t tid, pid_t *pids, guint n) G_GNUC_WARN_UNUSED_RESULT;

/* The same without the help of the kernel, which it has given since 6.11: by a look at all processes. Those that are in
 * a namespace below that of the thread become 0, too. */
int mn_namespace_translate_by_scan(pid_t tid, pid_t *pids, guint n) G_GNUC_WARN_UNUSED_RESULT;
