/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"

#include <sys/types.h>

/* The last writes of each user that were refused, and why, for himself to read. They outlive his open files, since who
 * has been refused mostly ends at once; so they are not charged to him, but few: those of the MN_REFUSALS_USERS who
 * were refused last, MN_REFUSALS_OF_USER each, of at most MN_REFUSAL_BYTES. */
typedef struct MnRefusals MnRefusals;

#define MN_REFUSALS_USERS 64
#define MN_REFUSALS_OF_USER 8
#define MN_REFUSAL_BYTES 480

/* A write that was refused. */
typedef struct MnRefusal {
    gint64 time_us;       /* CLOCK_MONOTONIC */
    const char *path;     /* below the mount point */
    int error;            /* -errno */
    const MnFault *fault; /* what the file knows more than the error; all zero for nothing */
    const char *text;
    gsize len;
} MnRefusal;

MnRefusals *mn_refusals_new(void);
void mn_refusals_free(MnRefusals *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRefusals, mn_refusals_free)

/* Keeps one of a user, who is the one that is charged (quota/quota.h). His oldest makes room, and where it is a user's
 * first, all of him who was refused longest ago. */
void mn_refusals_add(MnRefusals *self, uid_t payer, const MnRefusal *refusal);

/* Appends those of a user, the oldest first; nothing if there are none. */
void mn_refusals_render(const MnRefusals *self, uid_t payer, GString *text);
