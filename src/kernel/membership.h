/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* Asks the helper, on behalf of user `uid`, which of the processes are in a control group or below it; `group` is as seen
 * from the root of our cgroup namespace. One may be named by any of its threads; 0 is none. The answer is those of the numbers,
 * as an array of pid_t; who has ended is left out. -EPERM: /proc is that of another pid namespace than ours. */
int mn_membership_ask(MnHelper *helper, uid_t uid, const char *group, const pid_t *pids, guint n, MnAnswered answered,
                      gpointer data, MnHelperJob **ret) G_GNUC_WARN_UNUSED_RESULT;
