/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* With its NUL; the kernel's longest is "HighMem". A longer one is damage. */
#define MN_ZONE_NAME_BYTES 16

/* Kernels have at most 1024 nodes and 6 zones in each. */
#define MN_ZONES_MAX 8192

/* One memory zone of one node; pages. */
typedef struct MnZone {
    guint node;
    char name[MN_ZONE_NAME_BYTES];
    guint64 free;
    guint64 min; /* the watermarks, without what the kernel adds to them for a while (see zone.c) */
    guint64 low;
    guint64 high;
    guint64 boost;
    guint64 present;
    guint64 managed;        /* those of them that can be allocated */
    guint64 node_present;   /* of all zones of the node */
    guint64 own_reserve;    /* kept from allocations for the lowest zone: the first of "protection" */
    guint64 upper_reserve;  /* kept from allocations for the highest zone: the last of "protection" */
    gsize end_of_start_pfn; /* where in the text its start_pfn line ends; 0 when it has none */
} MnZone;

/* The zones of one moment. All zero is empty; reused from text to text, it allocates only when
 * there are more zones than ever before. */
typedef struct MnZones {
    MnZone *zones;
    guint n;
    guint size;
} MnZones;

void mn_zones_clear(MnZones *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnZones, mn_zones_clear)

/* Reads the text of /proc/zoneinfo. Unknown lines are skipped. -EBADMSG: no zone at all, more than
 * MN_ZONES_MAX, no final newline (a cut text), a line before the first heading, a zone twice, a
 * value of ours twice in a zone or without a number of 64 bits, a zone without "present", or one
 * with pages that lacks a watermark, "free" or "protection". *self is then empty. */
int mn_zones_parse(MnZones *self, const char *text, gsize len) G_GNUC_WARN_UNUSED_RESULT;

/* Takes what single CPUs keep out of the text of /proc/zoneinfo, in place: "pagesets" and what belongs to it, which with many
 * CPUs is most of the text, and which nothing here is made of. Returns its length then. */
gsize mn_zones_cut_cpus(char *text, gsize len);

/* A zone without pages that can be allocated takes part in nothing. The kernel lists them: most have no pages at all, but
 * where all were reserved at boot, as for a kernel that is to dump this one, a zone is present with 0 free and 0 marks,
 * and would be short for ever. */
gboolean mn_zone_is_populated(const MnZone *zone);

gboolean mn_zone_is_same(const MnZone *zone, guint node, const char *name);

typedef enum MnWatermark {
    MN_WATERMARK_MIN,
    MN_WATERMARK_LOW,
} MnWatermark;

/* Whether the kernel's plain check of the watermark, for a single page and the lowest kind of zone,
 * would fail: so the reserve that protects the zone from allocations which might as well come from a
 * higher zone does not count. (With it a zone DMA of 16 MiB below 10 GiB of others would be short for
 * ever, being smaller than its reserve.) */
gboolean mn_zone_is_below(const MnZone *zone, MnWatermark mark);

/* How many pages ordinary allocations can take before some zone is below: 0 when one is, and
 * G_MAXUINT64 when none can be. A zone with a reserve against them cannot be brought there by them. */
guint64 mn_zones_distance(const MnZones *self, MnWatermark mark);
