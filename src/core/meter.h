/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/sample.h"

/* The meters, in the order in which they are listed. The first three are the driver's. */
typedef enum MnMeterId {
    MN_METER_USED,
    MN_METER_ACTIVE,
    MN_METER_TOTAL,
    MN_METER_FREE,
    MN_METER_AVAILABLE,
    MN_METER_ANON,
    MN_METER_FILE,
    MN_METER_SHMEM,
    MN_METER_SLAB_RECLAIMABLE,
    MN_METER_MLOCKED,
    MN_METER_DIRTY,
    MN_METER_SWAP_TOTAL,
    MN_METER_SWAP_FREE,
    MN_METER_SWAP_USED,
    MN_N_METERS,

    /* More values that limits can be set on, which no text can name: what a memory cgroup calls its
     * usage, without and with swap. */
    MN_METER_SYSTEM_USAGE = MN_N_METERS, /* of the root, that is of the whole system */
    MN_METER_SYSTEM_MEMSW,
    MN_METER_GROUP_USAGE,
    MN_METER_GROUP_MEMSW,
    MN_N_VALUES
} MnMeterId;

#define MN_METER_BIT(id) (1U << (id))

/* What does not change while we run. */
typedef struct MnMachine {
    guint page_bytes;
    guint offered;          /* MN_METER_BIT()s of the meters that this kernel has the counters for */
    gboolean offers_zones;  /* there is a zoneinfo, or may be */
    gboolean offers_stalls; /* it tells how long tasks have waited for the memory that the meters show */
} MnMachine;

/* What a meter is a part of. */
typedef enum MnPart {
    MN_PART_TOTAL, /* memory and swap */
    MN_PART_MEMORY,
    MN_PART_SWAP,
} MnPart;

/* One row of the table of meters. */
typedef struct MnMeter {
    const char *name; /* NULL from MN_N_METERS on, and so is `help` */
    const char *help; /* a sentence for metrics */
    MnPart part;
    guint sources; /* MN_SOURCE_… bits it is computed from */
    guint64 needs; /* MN_COUNTER_BIT()s it cannot do without */
    guint64 (*pages)(const MnSample *sample);
} MnMeter;

extern const MnMeter mn_meters[MN_N_VALUES];

/* What the meters show at one moment, in pages. Copied by assignment. */
typedef struct MnReading {
    guint64 pages[MN_N_VALUES];
} MnReading;

/* The meter named by the `len` bytes at `name`, or -1. */
int mn_meter_find(const char *name, gsize len);

/* The meters (MN_METER_BIT()s) that can be computed from a sample in which `known` counters exist. */
guint mn_meters_offered(guint64 known);

/* Computes every meter. One whose counters are unknown shows 0. */
void mn_reading_from_sample(const MnSample *sample, MnReading *ret);
