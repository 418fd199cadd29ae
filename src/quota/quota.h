/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds what.
 *
 * Whoever may open our files can make us keep something for him: an open file, the text that he is in the middle of
 * reading, a limit that is compared with each sample, a threshold that stays when he has gone, an eventfd or a process
 * of his that we hold a descriptor of. We are locked in memory and have as many descriptors as the machine gives us once,
 * so what one user takes, another cannot have. Each user therefore has an account, and
 *
 *   what is charged   is charged before it is given, or before the work for it is begun, and refunded by whoever
 *                     lets go of it: as a rule by the one who has charged it. A charge that is refused has changed
 *                     nothing, and is refused to the client as it is: what he had before he still has.
 *   to whom           to the user who has opened the file, who may have given it to another since. All subordinate
 *                     ids of a user (subuid(5)) are charged to him: else a user who may make a user namespace would
 *                     be sixty-five thousand users.
 *   how much          no more than the share of a user, which is generous for programs and small for the daemon: all
 *                     shares of one user together are less than 16 MiB. Where many users have much, nobody is given
 *                     more than what would be left to the others, so the last to come finds something, too.
 *   to root           and to the owner of the mount no share applies. They are bounded by what there is at all, of which
 *                     an eighth is kept for them.
 *
 * Time is charged as well, by kernel/helper.h: what helper processes do for a user is put off, and never refused, when
 * he has used up his share.
 *
 * EDQUOT says that the user has too much; -ENFILE that it is we who are short of what the machine gives. */
#pragma once

#include <memnotifyfs/contract.h>

#include <glib.h>
#include <sys/types.h>

typedef enum MnResource {
    MN_RESOURCE_OPENS,         /* open files */
    MN_RESOURCE_BYTES,         /* of texts that are being read, and of writes that were not answered yet */
    MN_RESOURCE_LIMITS,        /* of open files and of thresholds */
    MN_RESOURCE_THRESHOLDS,    /* files in thresholds/ */
    MN_RESOURCE_REGISTRATIONS, /* of eventfds in memcg/ */
    MN_RESOURCE_VICTIMS,       /* processes in the list oom */
    MN_RESOURCE_SIGNALS,       /* open files that want one */
    MN_RESOURCE_DESCRIPTORS,   /* of ours that stand for something of his */
    MN_RESOURCE_REQUESTS,      /* taken from the kernel and waiting for their turn */
    MN_RESOURCE_TRIGGERS,      /* of open files that wait for stalls */
    MN_N_RESOURCES
} MnResource;

/* The share of a user who is neither root nor the owner. */
#define MN_OPENS_PER_USER_MAX 4096
#define MN_BYTES_PER_USER_MAX ((guint64)8 << 20)
#define MN_LIMITS_PER_USER_MAX 2048 /* all of which one sample may cross, while others wait */
#define MN_REGISTRATIONS_PER_USER_MAX 1024
#define MN_VICTIMS_PER_USER_MAX 128
#define MN_SIGNALS_PER_USER_MAX 256
#define MN_DESCRIPTORS_PER_USER_MAX 3072
#define MN_REQUESTS_PER_USER_MAX 4096
#define MN_TRIGGERS_PER_USER_MAX 512 /* each of which takes its part of a look at the stalls */

typedef struct MnQuota MnQuota;

/* What one user holds. It lives as long as somebody keeps it, who then holds something or is about to. */
typedef struct MnAccount MnAccount;

/* `owner` is who the mount belongs to. There are `n_descriptors` to be given away. */
MnQuota *mn_quota_new(uid_t owner, guint n_descriptors);
void mn_quota_free(MnQuota *self); /* accepts NULL; nobody keeps an account any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnQuota, mn_quota_free)

/* left() is called when a user who has had much has nothing any more. */
void mn_quota_set_left(MnQuota *self, void (*left)(gpointer data), gpointer data);

/* Who is charged for what user `uid` has or asks for: of a subordinate id the user that it belongs to. */
uid_t mn_quota_find_payer(const MnQuota *self, uid_t uid);

/* Whether no share applies to a user, because it is root or the owner. */
gboolean mn_quota_is_free(const MnQuota *self, uid_t uid);

/* The account of the payer; to be given back. */
MnAccount *mn_quota_get_account(MnQuota *self, uid_t uid);
MnAccount *mn_account_keep(MnAccount *self);
void mn_account_give_back(MnAccount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnAccount, mn_account_give_back)

uid_t mn_account_get_uid(const MnAccount *self);

/* Whether a charge would be refused, and why. */
int mn_account_check(const MnAccount *self, MnResource resource, guint64 n) G_GNUC_WARN_UNUSED_RESULT;

/* Charges for what is `to` where it was `from` before, or refunds if that is less, which always succeeds. -EDQUOT: it
 * would be too much for the user; -ENFILE: for us. */
int mn_account_change(MnAccount *self, MnResource resource, guint64 from, guint64 to) G_GNUC_WARN_UNUSED_RESULT;

/* The same for an amount. */
int mn_account_charge(MnAccount *self, MnResource resource, guint64 n) G_GNUC_WARN_UNUSED_RESULT;
void mn_account_refund(MnAccount *self, MnResource resource, guint64 n);

guint64 mn_account_get_used(const MnAccount *self, MnResource resource);

/* "opens" */
const char *mn_resource_get_name(MnResource resource);

/* How many charges were refused since the start. */
guint64 mn_quota_get_refused(const MnQuota *self, MnResource resource);

/* Appends a line that names the resources, and one for each user who holds something, by ascending uid:
 *
 *   uid opens bytes limits thresholds registrations victims signals descriptors requests triggers
 *   1000 3 512 0 2 1 0 0 0 0 0 */
void mn_quota_render(const MnQuota *self, GString *text);
