/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* What this process may do about mounting. Needs nothing but the C library: memnotify-run has it too. */

/* Whether it has CAP_SYS_ADMIN in its user namespace. */
bool mn_may_mount(void);

/* Whether its user and group exist in its user namespace; in one without a map they do not. */
bool mn_is_mapped(void);

/* Whether fusermount3 lets a user who may not mount give his files to others. */
bool mn_may_allow_other(void);

/* What hinders it from opening /dev/fuse, as a line that says what to do; NULL for nothing. */
const char *mn_why_no_device(void);

/* What has hindered it from mounting, the same way; NULL when that cannot be told. */
const char *mn_why_no_mount(void);
