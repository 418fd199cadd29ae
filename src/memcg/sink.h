/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/helper.h"

#include <sys/types.h>

/* The eventfds of all clients. */
typedef struct MnSinks MnSinks;

/* A client's eventfd: our copy of it, and what is registered on it. It lives as long as the
 * process that registered has the eventfd open, under whatever number. */
typedef struct MnSink {
    int fd;
    GQueue registrations; /* of its user */
    guint64 guarded;      /* with mn_guard_add(), by its user; 0: not */
    guint n_charged;
    guint64 eventfd_id;
    guint64 number; /* of a descriptor of the client's, as last seen */
    struct MnSinkProcess *process;
    struct MnSinkUser *user;
    GList link; /* in the user's queue */
} MnSink;

/* What a client names, and copies of it. */
typedef struct MnSinkKey {
    pid_t pid;
    uid_t uid;
    guint64 number;
    guint64 eventfd_id;
    int pidfd;
    int fd; /* of the eventfd */
} MnSinkKey;

void mn_sink_key_clear(MnSinkKey *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnSinkKey, mn_sink_key_clear)

/* ended() is called when a client does not have the eventfd any more; our copy is closed when it
 * returns. The helper looks for that; it outlives what is asked of it. -errno when there is no descriptor. */
int mn_sinks_new(MnQuota *quota, MnHelper *helper, void (*ended)(MnSink *sink, gpointer data), gpointer data,
                 MnSinks **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_sinks_free(MnSinks *self); /* after mn_sinks_end_all() */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnSinks, mn_sinks_free)

/* Has a few of the user's sinks looked at, more if he has too many: to be called before each charge. */
void mn_sinks_look(MnSinks *self, uid_t uid);

/* The sink for an eventfd, with one registration charged to the client's user. What is kept of the key's
 * descriptors is taken out of it. -EDQUOT when that is too many, -ENFILE when we have too few descriptors left,
 * or an error of mn_ends_add(). */
int mn_sinks_charge(MnSinks *self, MnSinkKey *key, MnSink **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Takes one charge back; the sink ends with its last. */
void mn_sinks_refund(MnSinks *self, MnSink *sink);

void mn_sinks_end_all(MnSinks *self);
guint mn_sinks_get_n_registrations(const MnSinks *self);
