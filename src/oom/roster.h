/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oom/victim.h"
#include "quota/quota.h"

/* Everybody's lists of processes, of which each user has one. */
typedef struct MnRoster MnRoster;

/* A process as a user has listed it. */
typedef struct MnListing {
    MnVictim *victim; /* the caller's */
    MnWriter writer;
    pid_t number; /* what the writer calls it, in his pid namespace */
} MnListing;

/* No lists. What is listed is charged by the quota, which stays the caller's. */
MnRoster *mn_roster_new(MnQuota *quota);
void mn_roster_free(MnRoster *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRoster, mn_roster_free)

/* Whether that is root or the owner of the mount, who see all lists, and list as many as they like. */
gboolean mn_roster_is_privileged(const MnRoster *self, uid_t uid);

/* The user's list, of MnListing; NULL for an empty one. Holds until the next change. */
const GArray *mn_roster_get(const MnRoster *self, uid_t uid);

/* Whether a list of `n` in the place of the user's would be refused, and why. */
int mn_roster_check(const MnRoster *self, uid_t uid, guint n) G_GNUC_WARN_UNUSED_RESULT;

/* Puts these (MnListing) into the place of the user's list. -EDQUOT, -ENFILE: they are too many; nothing has changed. */
int mn_roster_replace(MnRoster *self, uid_t uid, const GArray *listings) G_GNUC_WARN_UNUSED_RESULT;

/* Takes those that have ended off all lists. */
void mn_roster_drop_ended(MnRoster *self);

/* Appends each listed process once, where it comes first, and writes its place and writer. Before that its place has
 * to be MN_NO_PLACE. The order is: root's list, that of the owner of the mount, the others' in the order in which they
 * ceased to be empty. */
void mn_roster_merge(const MnRoster *self, GPtrArray *victims);
