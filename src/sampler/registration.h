/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sampler/sampler.h"
#include "sampler/sink.h"

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

/* For a group, or for the whole system if memcg is NULL. The memcg stays the caller's, and so does the helper,
 * which is not asked any more once it has ended. */
int mn_registrations_new(MnSampler *sampler, MnMemcg *memcg, MnHelper *helper, MnRegistrations **ret)
    G_GNUC_WARN_UNUSED_RESULT;
void mn_registrations_free(MnRegistrations *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRegistrations, mn_registrations_free)

MnMemcg *mn_registrations_get_memcg(const MnRegistrations *self);

/* removed() is called once when the group is found removed: every registration has been
 * signalled and ended then. */
void mn_registrations_set_removed(MnRegistrations *self, void (*removed)(gpointer data), gpointer data);

/* To be called before a user registers: see mn_sinks_look(). */
void mn_registrations_look(MnRegistrations *self, uid_t uid);

/* Registers the client's eventfd; nothing is signalled yet. -EINVAL when the argument does not
 * suit the kind, -ENODEV when the group has been removed, or an error of mn_sinks_charge(),
 * mn_signaller_prepare() or the kernel. */
int mn_registrations_add(MnRegistrations *self, MnSinkKey *key, MnEventKind kind, const char *argument, gsize len)
    G_GNUC_WARN_UNUSED_RESULT;

/* The meter that a file of usage shows. */
MnMeterId mn_registrations_get_meter(const MnRegistrations *self, MnEventKind kind);

/* Looks whether the group has been removed; removed() is called if that is news. */
gboolean mn_registrations_check_removed(MnRegistrations *self);

/* How many processes the OOM killer has killed in the group. */
int mn_registrations_get_oom_kills(MnRegistrations *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
