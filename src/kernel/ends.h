/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Tells when processes end. The main loop has one descriptor and one source for all of them. */
typedef struct MnEnds MnEnds;

/* ended() is called from the main loop, and from mn_ends_look(), once for each process that was added and has ended. It
 * may add and remove others. all_told(), which may be NULL, is called after it, once for some that were told together.
 * -errno when there is no descriptor. */
int mn_ends_new(void (*ended)(gpointer process, gpointer data), void (*all_told)(gpointer data), gpointer data,
                MnEnds **ret) G_GNUC_WARN_UNUSED_RESULT;
void mn_ends_free(MnEnds *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnEnds, mn_ends_free)

/* Whoever has added a process removes it, before he closes the pidfd and whether it has ended or not. -ENOMEM, -ENOSPC:
 * the kernel watches no more. */
int mn_ends_add(MnEnds *self, int pidfd, gpointer process) G_GNUC_WARN_UNUSED_RESULT;
void mn_ends_remove(MnEnds *self, int pidfd, gpointer process);

/* Tells of all that have ended by now. */
void mn_ends_look(MnEnds *self);
