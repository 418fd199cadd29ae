/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/eventcontrol.h"
#include "board/board.h"

/* What is told about a memory cgroup, or the whole system. */
typedef struct MnMemcgListener {
    void (*ooms)(guint64 n, gpointer data);            /* the group ran out of memory n times since the last call */
    void (*pressure)(MnPressure level, gpointer data); /* a window of reclaim has ended */
    void (*removed)(gpointer data);                    /* the group is gone */
    void (*returned)(gpointer data);                   /* there is one again in its place */
    gpointer data;
} MnMemcgListener;

/* Watches a group; each of the three only while that is asked for. */
typedef struct MnMemcgEvents MnMemcgEvents;

/* For the group of the board's probe, or the whole system. */
MnMemcgEvents *mn_memcg_events_new(MnBoard *board, const MnMemcgListener *listener);
void mn_memcg_events_free(MnMemcgEvents *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnMemcgEvents, mn_memcg_events_free)

/* From now on, until unwatch; -errno when it cannot be watched. A second time has no effect. */
int mn_memcg_events_watch_ooms(MnMemcgEvents *self) G_GNUC_WARN_UNUSED_RESULT;
int mn_memcg_events_watch_pressure(MnMemcgEvents *self) G_GNUC_WARN_UNUSED_RESULT;
void mn_memcg_events_watch_removal(MnMemcgEvents *self); /* where that can be watched; a second time tries again */

void mn_memcg_events_unwatch_ooms(MnMemcgEvents *self);
void mn_memcg_events_unwatch_pressure(MnMemcgEvents *self);
void mn_memcg_events_unwatch_removal(MnMemcgEvents *self);

/* Looks whether the group has been removed, or made anew, and tells. TRUE while there is none. */
gboolean mn_memcg_events_check_removed(MnMemcgEvents *self);

/* How many processes the OOM killer has killed in the group. */
int mn_memcg_events_get_oom_kills(MnMemcgEvents *self, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
