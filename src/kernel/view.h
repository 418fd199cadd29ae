/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* Who wants to see processes, in the namespaces of the mount. */
typedef struct MnViewer {
    uid_t uid;
    gid_t gid;
    pid_t tid;              /* 0 when it cannot be seen from here */
    gboolean is_privileged; /* he may see what we see */
} MnViewer;

/* A user's way to look at a /proc, for which the kernel decides what is to be seen. */
typedef struct MnView {
    uid_t uid; /* -1 for us */
    gid_t gid;
    dev_t device; /* of that /proc */
    int proc_fd;
} MnView;

/* Whether both show the same. */
gboolean mn_view_is_same(const MnView *self, const MnView *other);

void mn_view_close(MnView *self);

/* In the helper: the view of who waits for our answer. One who is privileged and in our pid namespace, or not to be
 * seen from it, has ours; all others look at the /proc of their own root directory. -EPERM: there is none, or we
 * cannot look at it as that user. -ESRCH: he has gone. */
int mn_view_open(const MnViewer *viewer, MnView *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for it; and takes it out of the answer. */
int mn_view_ask(MnHelper *helper, const MnViewer *viewer, MnAnswered answered, gpointer data, MnHelperJob **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_view_take(MnView *ret, MnParcel *answer);
