/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/limit.h"

/* One limit in its place: where it is reached and where it is left again. Private to crossing.c but
 * for `limit` and `enter_pages`. */
typedef struct MnEdge {
    MnLimit limit;
    guint64 enter_pages; /* the limit in pages, per cent resolved */
    guint64 enter_key;
    guint64 leave_key;
    GSequenceIter *place;
    struct MnWatch *watch;
} MnEdge;

/* What somebody waits for: a set of limits and which of them are reached. */
typedef struct MnWatch MnWatch;
struct MnWatch {
    guint32 reached; /* bit i: limit i of the set is reached */
    guint32 changed; /* while crossed() runs: the bits of `reached` that have just changed */
    void (*crossed)(MnWatch *watch, const MnReading *reading);
    gpointer owner; /* for crossed() */
    MnWatch *next_changed;
    guint32 known; /* bit i: limit i is reached or not; of the others that is found out when the watch is added */
    guint8 indexed;
    guint8 is_parked; /* for its board */
    guint8 n_edges;
    MnEdge edges[];
};

/* A watch for `set` that calls crossed() when its state has changed. Nothing is known of its limits as yet. */
MnWatch *mn_watch_new(const MnLimitSet *set, void (*crossed)(MnWatch *, const MnReading *), gpointer owner);
void mn_watch_free(MnWatch *watch); /* must not be indexed any more; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnWatch, mn_watch_free)

/* The ordered limits of all indexed watches, per meter and direction. */
typedef struct MnCrossing MnCrossing;

MnCrossing *mn_crossing_new(void);
void mn_crossing_free(MnCrossing *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnCrossing, mn_crossing_free)

/* What limits are measured by. */
typedef struct MnScale {
    guint64 total_pages; /* what per cent are taken of */
    guint64 swap_pages;  /* how much of it is swap */
    guint64 space_pages; /* the hysteresis */
} MnScale;

/* A reached limit is left when the meter is space_pages beyond it, or half-way to the end of what
 * the meter can be where that is nearer, so that no limit is too near to an end to be left. When the
 * scale changes, all limits are put in their new place; whoever is reached stays so until
 * mn_crossing_advance(). */
void mn_crossing_set_scale(MnCrossing *self, const MnScale *scale);

/* From now on mn_crossing_advance() looks at the watch. Those of its limits of which nothing is known begin as
 * `reading` has it, silently: one that is reached already is no event. The others go on from the state that
 * they had, so that what they have crossed since is told. O(limits x log n). */
void mn_crossing_add(MnCrossing *self, MnWatch *watch, const MnReading *reading);

/* No effect on a watch that is not indexed. O(limits x log n), over time. */
void mn_crossing_remove(MnCrossing *self, MnWatch *watch);

/* Moves on to a new reading: O(meters + crossed + log n), over time, without allocation. All state is
 * changed first, then crossed() is called once for each watch whose state changed, for one meter in
 * the order in which its limits were crossed. crossed() must not add or remove a watch. Returns how
 * many were told. */
guint mn_crossing_advance(MnCrossing *self, const MnReading *reading);

/* How far the meter nearest to a limit that is not reached is away from it, in pages: at least 1,
 * and G_MAXUINT64 when there is no such limit. */
guint64 mn_crossing_distance(const MnCrossing *self, const MnReading *reading);

/* The furthest, in pages, that a meter has moved in a direction in which it has limits. */
guint64 mn_crossing_approach(const MnCrossing *self, const MnReading *from, const MnReading *to);

/* Whether any limit is reached. */
gboolean mn_crossing_is_reached(const MnCrossing *self);

/* The meters (MN_METER_BIT()s) that have a limit. */
guint mn_crossing_meters(const MnCrossing *self);

gboolean mn_crossing_is_empty(const MnCrossing *self);
