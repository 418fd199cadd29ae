/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

/* What a client claims who writes two numbers of descriptors to cgroup.event_control and waits: that they are an
 * eventfd and one of our files. */
typedef struct MnClaim {
    pid_t tid;
    uid_t uid;
    guint64 eventfd;
    guint64 control;
    dev_t device; /* of our files */
} MnClaim;

/* What there is to it. */
typedef struct MnClaimed {
    pid_t pid;
    guint64 eventfd_id;
    guint64 ino; /* of the file of ours that the control is */
    int taken;   /* 0, or why the eventfd cannot be had: it is for the caller to say what else is wrong, first */
} MnClaimed;

/* Asks the helper to look, and to take the eventfd over. The answer has an MnClaimed, and in this order a pidfd and
 * the eventfd, if they could be had. -ESRCH, -EPERM, -EBADF, -EINVAL as mn_client_find_process() and
 * mn_client_look(). */
int mn_claim_ask(const MnClaim *self, MnHelper *helper, MnAnswered answered, gpointer data) G_GNUC_WARN_UNUSED_RESULT;
const MnClaimed *mn_claim_get_claimed(const MnParcel *answer);
