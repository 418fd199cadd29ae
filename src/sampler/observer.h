/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/pace.h"
#include "core/sample.h"
#include "core/zone.h"

/* An observer is told at least this often. */
#define MN_OBSERVER_LONGEST_MS 1000

/* One moment, as observers see it. Holds while told() runs. */
typedef struct MnMoment {
    const MnSample *sample;
    const MnZones *zones;
    gint64 time_us; /* CLOCK_MONOTONIC */
} MnMoment;

/* Somebody who wants to see every sample, and has an event of his own in mind. A watch, in contrast,
 * is only told that one of its limits was crossed. */
typedef struct MnObserver MnObserver;
struct MnObserver {
    guint sources;    /* MN_SOURCE_… bits of what it looks at; zoneinfo at least */
    guint64 counters; /* MN_COUNTER_BIT()s; those that this kernel lacks are unknown in the sample */

    /* Sees a moment and sets the three below. Must not add or remove an observer or a watch. */
    void (*told)(MnObserver *self, const MnMoment *moment);

    guint64 shortest_ms;    /* until this has passed it has no use for another sample */
    guint64 distance_pages; /* how much has to be allocated before its event; G_MAXUINT64: no telling */
    gboolean is_reached;    /* its event is true now */

    gint64 near_until_us; /* mn_observer_set_pace()'s */
    MnObserver *next;     /* the list's */
};

/* Sets distance and shortest_ms of one that waits for a zone to fall below `mark`, or for what the
 * kernel does then. `is_reclaiming`: it has reclaimed since the sample before. */
void mn_observer_set_pace(MnObserver *self, const MnMoment *moment, MnWatermark mark, gboolean is_reclaiming);

/* The observers. All zero is empty. */
typedef struct MnObservers {
    MnObserver *first;
} MnObservers;

void mn_observers_add(MnObservers *self, MnObserver *observer);
void mn_observers_remove(MnObservers *self, MnObserver *observer); /* no effect on one not added */

gboolean mn_observers_is_empty(const MnObservers *self);
guint mn_observers_sources(const MnObservers *self);
guint64 mn_observers_counters(const MnObservers *self);

void mn_observers_tell(const MnObservers *self, const MnMoment *moment);

/* When the next sample is due, counted from the last: the pace of limits, but at least every
 * MN_OBSERVER_LONGEST_MS and not more often than somebody has a use for. `pace` says what does not
 * depend on the observer. G_MAXUINT64 without observers. */
guint64 mn_observers_next_ms(const MnObservers *self, const MnPace *pace, const MnParameters *parameters);
