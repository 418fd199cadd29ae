/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "core/event.h"
#include "kernel/helper.h"

/* What is told to those who are in a control group that somebody is about to kill. */
typedef struct MnLastCall MnLastCall;

/* Somebody who can be told; part of what he is to others. All zero is one who is not there. */
typedef struct MnMember MnMember;
struct MnMember {
    const pid_t *pid; /* of his process, or of a thread of it, at any time; 0: it is not known */

    /* TRUE: he has been told, or will be when the turn of the main loop ends. */
    gboolean (*called)(MnMember *self, const MnEvent *event);
    GList link;
};

/* What is given stays the caller's and outlives it. */
MnLastCall *mn_last_call_new(MnBoard *board, MnHelper *helper);
void mn_last_call_free(MnLastCall *self); /* when there is nobody any more; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnLastCall, mn_last_call_free)

/* From now on until he is removed. */
void mn_last_call_add(MnLastCall *self, MnMember *member);
void mn_last_call_remove(MnLastCall *self, MnMember *member);

/* It may be made soon, when there is no memory to prepare anything. -errno when that could not be done. */
int mn_last_call_prepare(MnLastCall *self) G_GNUC_WARN_UNUSED_RESULT;

/* How many were told; -errno as MnAnswered has it. */
typedef void (*MnCalled)(int n, gpointer data);

/* One call on its way. */
typedef struct MnCalling MnCalling;

/* Tells all who are in the group, named as mn_membership_ask() has it, or below it. made() is called once, later, with how many
 * that were; not after mn_calling_forget(), with which nobody is told who was not yet. -errno as mn_helper_ask(). */
int mn_last_call_make(MnLastCall *self, uid_t uid, const char *group, MnCalled made, gpointer data, MnCalling **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_calling_forget(MnCalling *self);
