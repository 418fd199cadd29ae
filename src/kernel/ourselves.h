/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the kernel lets us have, and expects of us. */

guint mn_page_bytes(void);

/* Whether this -errno comes from what is short now and may be there the next time. */
gboolean mn_error_passes(int r);

/* Lets us have as many descriptors as we may: the soft limit of 1024 is only there for programs that use
 * select(). Returns how many that is; 0 when it cannot be told. */
guint mn_file_limit_raise(void);

/* Another descriptor of what `fd` stands for, which cannot be written to; it is closed on exec. -errno. */
int mn_reopen_for_reading(int fd, int *ret) G_GNUC_WARN_UNUSED_RESULT;

/* After how many seconds the kernel gives up a FUSE request that was not answered, and with it the
 * whole connection; 0 for never. An administrator may change it at any time. Source: the sysctls
 * fs.fuse.default_request_timeout and fs.fuse.max_request_timeout, since protocol 7.43. */
guint mn_request_timeout_s(void);

/* Makes it likely that we work on when memory is nearly gone: locks us in memory and asks the OOM killer to
 * look elsewhere. What is not permitted is left with one warning. Call it in the process that serves, after
 * everything is set up. */
void mn_survival_prepare(void);

/* Asks the OOM killer to look elsewhere, unless it does so already. *ret_before is what was there, also on an error that
 * comes from the write: -EACCES, -EPERM where that is not permitted. */
int mn_oom_score_lower(int *ret_before) G_GNUC_WARN_UNUSED_RESULT;

/* Locks what is mapped now, and makes it ours: what is shared with a parent or a child after a fork is copied now, and not
 * as it is first written to, for which there may be no memory then. Where not so much may be locked it does so with what
 * can be written to. -errno. Allocates. */
int mn_memory_hold(void);

/* Whether much of the heap is free. */
gboolean mn_memory_is_ample(void);

/* Gives free memory back to the machine. */
void mn_memory_give_back(void);
