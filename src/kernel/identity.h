/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* What the helper was before it took the identity of a user. */
typedef struct MnIdentity {
    gboolean is_taken;
    GArray *groups;       /* of gid_t; NULL unless it is taken */
    guint32 effective[2]; /* capabilities */
} MnIdentity;

/* From now on files, and what /proc shows, are opened with the rights of that user and group: without capabilities and
 * other groups. Root, and who we are ourselves, is as we are. -EPERM where we cannot act as that user. Only in the
 * helper. */
int mn_identity_take(uid_t uid, gid_t gid, MnIdentity *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Ends that. */
void mn_identity_return(MnIdentity *self);
