/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/board.h"
#include "core/eventcontrol.h"
#include "memcg/sink.h"

/* The files of a memory cgroup that take registrations. */
typedef enum MnEventKind {
    MN_EVENT_USAGE,
    MN_EVENT_MEMSW,
    MN_EVENT_OOM,
    MN_EVENT_PRESSURE,
    MN_N_EVENT_KINDS
} MnEventKind;

extern const char *const mn_event_file_names[MN_N_EVENT_KINDS];

/* Clients' eventfds that are signalled when something happens to a memory cgroup, or to the whole
 * system. */
typedef struct MnRegistrations MnRegistrations;

/* For the group of the board's probe, or the whole system. The helper stays the caller's, and is not asked any more
 * once it has ended. */
int mn_registrations_new(MnBoard *board, MnQuota *quota, MnHelper *helper, MnRegistrations **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_registrations_free(MnRegistrations *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRegistrations, mn_registrations_free)

MnMemcg *mn_registrations_get_memcg(const MnRegistrations *self);

/* removed() is called when the group is found removed: every registration has been signalled and ended then.
 * returned() is called when there is one again in its place, which may be at once. */
void mn_registrations_set_presence(MnRegistrations *self, void (*removed)(gpointer data),
                                   void (*returned)(gpointer data), gpointer data);

/* The st_dev of the files that clients name as their controls; before it is known none can be registered. */
void mn_registrations_set_device(MnRegistrations *self, dev_t device);

/* Gets what the kernel may have no more of later. What cannot be had is tried again with the first registration. To be
 * called in the process that serves: it is not inherited. */
void mn_registrations_prepare(MnRegistrations *self);

/* Has the helper find out what the descriptors stand for that thread `tid` of the user has written, as
 * mn_claim_ask(): what is answered is for mn_registrations_add(). */
int mn_registrations_claim(MnRegistrations *self, pid_t tid, uid_t uid, const MnEventControl *text, MnAnswered answered,
                           gpointer data) G_GNUC_WARN_UNUSED_RESULT;

/* Registers the client's eventfd; nothing is signalled yet. -EINVAL when the argument does not
 * suit the kind, -ENODEV when the group has been removed, or an error of mn_sinks_charge(),
 * mn_signaller_prepare() or the kernel. */
int mn_registrations_add(MnRegistrations *self, MnSinkKey *key, MnEventKind kind, const char *argument, gsize len)
    G_GNUC_WARN_UNUSED_RESULT;

/* The meter that a file of usage shows. */
MnMeterId mn_registrations_get_meter(const MnRegistrations *self, MnEventKind kind);

/* Looks whether the group has been removed, or made anew; tells if that is news. TRUE while there is none. */
gboolean mn_registrations_check_removed(MnRegistrations *self);

/* How often it has signalled an eventfd; what the kernel signals by itself on v1 is not among these. */
guint64 mn_registrations_get_n_signals(const MnRegistrations *self);

/* How many processes the OOM killer has killed in the group. */
int mn_registrations_get_oom_kills(MnRegistrations *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
