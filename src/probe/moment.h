/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"
#include "core/stall.h"
#include "core/vmpressure.h"
#include "core/zone.h"

/* What a moment is to be made of. */
typedef struct MnNeeds {
    guint meters;     /* MN_SOURCE_… bits: of what the meters show */
    guint machine;    /* the same, of the machine itself, which the meters may not show */
    guint64 counters; /* MN_COUNTER_BIT()s that no meter needs */
} MnNeeds;

/* The world at one moment, as a probe has found it. Copied by assignment; what it points to is the probe's and
 * holds until the next. */
typedef struct MnMoment {
    gint64 time_us;   /* of the board's clock, when it was complete */
    guint64 serial;   /* another whenever the reading may be */
    guint meters;     /* the sources that it was made of */
    gboolean is_gone; /* the group whose memory the meters show is removed: the readings are those of before */
    MnReading measured;
    MnReading reading; /* what is shown: with what is simulated in the place of what was measured */
    MnStalls measured_stalls;
    guint stalls_of;        /* another number when they are another group's than in the moment before */
    MnStalls stalls;        /* the same: of the group where there is one */
    const MnSample *sample; /* of the machine */
    const MnZones *zones;   /* none where they were not needed, or are damaged */

    /* What is told to the listeners of memcg/; each only where it was needed and could be read. */
    gboolean has_reclaim;
    gboolean has_ooms;
    MnVmpressureCounters reclaim;
    guint64 ooms; /* how often memory ran out */
} MnMoment;
