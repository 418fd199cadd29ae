/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "quota/quota.h"

/* Requests of the kernel that have been taken and wait to be served.
 *
 * The kernel hands them out as they came, so that whoever comes behind a user with a thousand threads would be served
 * after the thousand. Here users take turns, of each the request that has waited longest. */
typedef struct MnRequests MnRequests;

MnRequests *mn_requests_new(MnQuota *quota);
void mn_requests_free(MnRequests *self); /* accepts NULL; those that wait are forgotten */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnRequests, mn_requests_free)

/* Whether it is served at once: it costs next to nothing, and another may wait for it, of whatever user. */
gboolean mn_requests_is_urgent(const MnRequests *self, gconstpointer request);

/* From now on a copy of it waits. What interrupts a request that waits is kept with that. -EDQUOT, -ENFILE: too many wait,
 * of this user or of all. */
int mn_requests_put(MnRequests *self, gconstpointer request, gsize len) G_GNUC_WARN_UNUSED_RESULT;

gboolean mn_requests_are_waiting(const MnRequests *self);

/* Takes out the one whose turn it is and has it served; then what interrupts it. FALSE: none waits. */
gboolean mn_requests_serve_next(MnRequests *self, void (*serve)(gpointer data, gpointer request, gsize len),
                                gpointer data);

/* Answers the kernel, by the connection `fd`, that a request has failed with -errno. */
void mn_request_refuse(gconstpointer request, int fd, int error);
