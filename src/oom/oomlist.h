/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"
#include "oom/victim.h"
#include "kernel/statefile.h"

/* What the list does. */
typedef enum MnOomMode {
    MN_OOM_ADJUST, /* the kernel's OOM killer takes the listed first: by oom_score_adj */
    MN_OOM_KILL,   /* we end them when a limit is reached: see oomkiller.h */
    MN_OOM_OFF,
} MnOomMode;

/* The processes to sacrifice, in order: the lists of all users, merged as mn_roster_merge() says. One that ends leaves
 * by itself. */
typedef struct MnOomList MnOomList;

/* An empty list. `state`, `quota` and `helper`, which stay the caller's, keep what it changes for a later start, charge
 * for what is listed, and look at processes. */
int mn_oom_list_new(MnOomMode mode, MnStateFile *state, MnQuota *quota, MnHelper *helper, MnOomList **ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* Puts back what the list has changed. Accepts NULL. */
void mn_oom_list_free(MnOomList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnOomList, mn_oom_list_free)

/* Replaces the list of the user who has opened the file by `text` (see mn_pid_list_parse()); on any error it stays as
 * it was. written() is called with the outcome, unless it is an error that is returned at once.
 *   -EROFS: the list is off.  -EINVAL: no list of pids; `fault` says why.  -EDQUOT: more than the user may list.
 *   -ESRCH: no living process of that pid.
 *   -EPERM: the process is init, a kernel thread or ourselves; or opener or writer may not kill it,
 *           or we may not; or the writer is in a pid namespace whose pids we cannot know.
 *   -EMFILE, -ENFILE, -ENOMEM: no descriptor for it.
 *   -EBUSY: it took too long to look at them. */
int mn_oom_list_write(MnOomList *self, const char *text, gsize len, MnFault *fault, const MnWriter *writer,
                      void (*written)(int r, gpointer data), gpointer data) G_GNUC_WARN_UNUSED_RESULT;

/* Drops those that have ended. */
void mn_oom_list_refresh(MnOomList *self);

/* Appends "11 22 33 \n", the living only: for root and the owner of the mount all, by our pids; for another user his
 * own, by the numbers that he has written. */
void mn_oom_list_render(MnOomList *self, uid_t uid, GString *text);

/* changed() is called when processes have come or gone; `data` is passed to it. */
void mn_oom_list_set_changed(MnOomList *self, void (*changed)(gpointer data), gpointer data);

/* The living process of that target, or NULL when it has left the list. */
MnVictim *mn_oom_list_find(MnOomList *self, const MnTarget *target);

/* The processes as they stand, merged: of MnVictim, for the killer to mark. Holds until changed(). */
GPtrArray *mn_oom_list_get_victims(MnOomList *self);
