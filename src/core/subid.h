/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Whose the subordinate user ids are, see subuid(5): a user who may make user namespaces has thousands of ids beside
 * his own. */
typedef struct MnSubids MnSubids;

/* From the texts of /etc/subuid and /etc/passwd, of which lines that are not understood are left out. A name that
 * passwd does not have stands for the first id of its first range. */
MnSubids *mn_subids_new(const char *subuid, const char *passwd);
void mn_subids_free(MnSubids *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnSubids, mn_subids_free)

/* The user whose subordinate id it is, and the first id of the range that it is in; the id itself where it is
 * nobody's. */
uid_t mn_subids_find_user(const MnSubids *self, uid_t uid);
uid_t mn_subids_find_first(const MnSubids *self, uid_t uid);
