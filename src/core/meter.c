/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of meters: a name, and a function of a sample.
 *
 * Free memory is MemFree, not nr_free_pages. On most machines they are the same number, but a guest
 * whose memory is plugged in on demand counts the memory it may still get in MemTotal and MemFree
 * alone; with nr_free_pages its meters would stand still while it fills up. */
#include "meter.h"

#include "core/number.h"

#include <string.h>

static guint64 total_pages(const MnSample *sample) {
    return mn_add(sample->counters[MN_COUNTER_MEM_TOTAL], sample->counters[MN_COUNTER_SWAP_TOTAL]);
}

static guint64 free_pages(const MnSample *sample) {
    return sample->known & MN_COUNTER_BIT(MN_COUNTER_MEM_FREE) ? sample->counters[MN_COUNTER_MEM_FREE]
                                                               : sample->counters[MN_COUNTER_VM_FREE];
}

/* The driver's formula: page cache counts as free, that of ZFS too, unless it is shared memory. Clamped where the
 * driver wrapped round. */
static guint64 used_pages(const MnSample *sample) {
    const guint64 *counters = sample->counters;
    guint64 there = mn_add(mn_add(total_pages(sample), counters[MN_COUNTER_GROUP_EXCESS]),
                           mn_add(counters[MN_COUNTER_SHMEM], counters[MN_COUNTER_MLOCKED]));
    guint64 unused = mn_add(mn_add(free_pages(sample), counters[MN_COUNTER_SWAP_FREE]),
                            mn_add(counters[MN_COUNTER_FILE], counters[MN_COUNTER_SLAB_RECLAIMABLE]));

    return mn_subtract(there, mn_add(unused, counters[MN_COUNTER_ARC]));
}

static guint64 active_pages(const MnSample *sample) {
    return mn_add(sample->counters[MN_COUNTER_ACTIVE_FILE], sample->counters[MN_COUNTER_ACTIVE_ANON]);
}

/* The kernel does not know of the cache of ZFS. */
static guint64 available_pages(const MnSample *sample) {
    guint64 pages = mn_add(sample->counters[MN_COUNTER_MEM_AVAILABLE], sample->counters[MN_COUNTER_ARC]);

    return MIN(pages, sample->counters[MN_COUNTER_MEM_TOTAL]);
}

static guint64 swap_used_pages(const MnSample *sample) {
    return mn_subtract(sample->counters[MN_COUNTER_SWAP_TOTAL], sample->counters[MN_COUNTER_SWAP_FREE]);
}

/* As the root memory cgroup counts: page cache is usage. */
static guint64 system_usage_pages(const MnSample *sample) {
    return mn_add(sample->counters[MN_COUNTER_ANON], sample->counters[MN_COUNTER_FILE]);
}

static guint64 system_memsw_pages(const MnSample *sample) {
    return mn_add(system_usage_pages(sample), swap_used_pages(sample));
}

#define COUNTER_METER(function, counter)                                                                               \
    static guint64 function(const MnSample *sample) {                                                                  \
        return sample->counters[counter];                                                                              \
    }

COUNTER_METER(anon_pages, MN_COUNTER_ANON)
COUNTER_METER(file_pages, MN_COUNTER_FILE)
COUNTER_METER(shmem_pages, MN_COUNTER_SHMEM)
COUNTER_METER(slab_reclaimable_pages, MN_COUNTER_SLAB_RECLAIMABLE)
COUNTER_METER(mlocked_pages, MN_COUNTER_MLOCKED)
COUNTER_METER(dirty_pages, MN_COUNTER_DIRTY)
COUNTER_METER(swap_total_pages, MN_COUNTER_SWAP_TOTAL)
COUNTER_METER(swap_free_pages, MN_COUNTER_SWAP_FREE)
COUNTER_METER(group_usage_pages, MN_COUNTER_GROUP_USAGE)
COUNTER_METER(group_memsw_pages, MN_COUNTER_GROUP_MEMSW)

#define B(counter) MN_COUNTER_BIT(MN_COUNTER_##counter)

/* Swap counters are not needed by used and total: a kernel without swap may leave them out. */
const MnMeter mn_meters[MN_N_VALUES] = {
    [MN_METER_USED] = { "used", "Memory and swap that cannot be had without giving something up.", MN_PART_TOTAL,
                        MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO | MN_SOURCE_ARC,
                        B(MEM_TOTAL) | B(MEM_FREE) | B(SLAB_RECLAIMABLE) | B(FILE) | B(SHMEM) | B(MLOCKED),
                        used_pages },
    [MN_METER_ACTIVE] = { "active", "Memory that was used of late.", MN_PART_MEMORY, MN_SOURCE_VMSTAT,
                          B(ACTIVE_FILE) | B(ACTIVE_ANON), active_pages },
    [MN_METER_TOTAL] = { "total", "Memory and swap there are.", MN_PART_TOTAL, MN_SOURCE_MEMINFO, B(MEM_TOTAL),
                         total_pages },
    [MN_METER_FREE] = { "free", "Memory that nobody uses.", MN_PART_MEMORY, MN_SOURCE_MEMINFO | MN_SOURCE_VMSTAT,
                        B(MEM_FREE), free_pages },
    [MN_METER_AVAILABLE] = { "available", "Memory that can be had without swapping.", MN_PART_MEMORY,
                             MN_SOURCE_MEMINFO | MN_SOURCE_ARC, B(MEM_TOTAL) | B(MEM_AVAILABLE), available_pages },
    [MN_METER_ANON] = { "anon", "Anonymous memory.", MN_PART_MEMORY, MN_SOURCE_VMSTAT, B(ANON), anon_pages },
    [MN_METER_FILE] = { "file", "Page cache, with shared memory.", MN_PART_MEMORY, MN_SOURCE_VMSTAT, B(FILE),
                        file_pages },
    [MN_METER_SHMEM] = { "shmem", "Shared memory and what lies in tmpfs.", MN_PART_MEMORY, MN_SOURCE_VMSTAT, B(SHMEM),
                         shmem_pages },
    [MN_METER_SLAB_RECLAIMABLE] = { "slab_reclaimable", "Memory of the kernel that it can give back.", MN_PART_MEMORY,
                                    MN_SOURCE_VMSTAT, B(SLAB_RECLAIMABLE), slab_reclaimable_pages },
    [MN_METER_MLOCKED] = { "mlocked", "Memory that is locked.", MN_PART_MEMORY, MN_SOURCE_VMSTAT, B(MLOCKED),
                           mlocked_pages },
    [MN_METER_DIRTY] = { "dirty", "Memory that has yet to be written to disk.", MN_PART_MEMORY, MN_SOURCE_VMSTAT,
                         B(DIRTY), dirty_pages },
    [MN_METER_SWAP_TOTAL] = { "swap_total", "Swap there is.", MN_PART_SWAP, MN_SOURCE_MEMINFO, B(SWAP_TOTAL),
                              swap_total_pages },
    [MN_METER_SWAP_FREE] = { "swap_free", "Swap that is free.", MN_PART_SWAP, MN_SOURCE_MEMINFO, B(SWAP_FREE),
                             swap_free_pages },
    [MN_METER_SWAP_USED] = { "swap_used", "Swap that is used.", MN_PART_SWAP, MN_SOURCE_MEMINFO,
                             B(SWAP_TOTAL) | B(SWAP_FREE), swap_used_pages },
    [MN_METER_SYSTEM_USAGE] = { NULL, NULL, MN_PART_MEMORY, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO, B(ANON) | B(FILE),
                                system_usage_pages },
    [MN_METER_SYSTEM_MEMSW] = { NULL, NULL, MN_PART_TOTAL, MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO,
                                B(ANON) | B(FILE) | B(SWAP_TOTAL) | B(SWAP_FREE), system_memsw_pages },
    [MN_METER_GROUP_USAGE] = { NULL, NULL, MN_PART_MEMORY, MN_SOURCE_MEMCG, B(GROUP_USAGE), group_usage_pages },
    [MN_METER_GROUP_MEMSW] = { NULL, NULL, MN_PART_TOTAL, MN_SOURCE_MEMCG, B(GROUP_MEMSW), group_memsw_pages },
};

int mn_meter_find(const char *name, gsize len) {
    for (guint id = 0; id < MN_N_METERS; id++)
        if (strlen(mn_meters[id].name) == len && memcmp(mn_meters[id].name, name, len) == 0)
            return (int)id;
    return -1;
}

guint mn_meters_offered(guint64 known) {
    guint offered = 0;

    if (known & B(VM_FREE)) /* stands in for MemFree, see free_pages() */
        known |= B(MEM_FREE);

    for (guint id = 0; id < MN_N_METERS; id++)
        if ((mn_meters[id].needs & ~known) == 0)
            offered |= MN_METER_BIT(id);
    return offered;
}

void mn_reading_from_sample(const MnSample *sample, MnReading *ret) {
    for (guint id = 0; id < MN_N_VALUES; id++)
        ret->pages[id] = mn_meters[id].pages(sample);
}
