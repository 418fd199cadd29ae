/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/zoneinfo -> MnZones.
 *
 *   Node 0, zone    DMA32
 *     per-node stats                       (in the first zone of a node with pages)
 *         nr_inactive_anon 19321
 *     pages free     677
 *           min      425
 *           low      531
 *           high     637
 *           present  61408
 *           managed  57286
 *           protection: (0, 0, 0, 0, 0)
 *     pagesets
 *       cpu: 0
 *                 high:  62
 *     start_pfn:           4096
 *
 * Indentation and order differ between kernels, the words do not. Either the whole text is good or
 * there are no zones. */
#include "zone.h"

#include "core/number.h"

#include <errno.h>
#include <string.h>

typedef struct Key {
    const char *name; /* with the byte that ends it */
    gsize offset;     /* of its number in MnZone */
} Key;

static const Key keys[] = {
    { "pages free ", G_STRUCT_OFFSET(MnZone, free) }, { "min ", G_STRUCT_OFFSET(MnZone, min) },
    { "low ", G_STRUCT_OFFSET(MnZone, low) },         { "high ", G_STRUCT_OFFSET(MnZone, high) },
    { "present ", G_STRUCT_OFFSET(MnZone, present) }, { "managed ", G_STRUCT_OFFSET(MnZone, managed) },
    { "boost ", G_STRUCT_OFFSET(MnZone, boost) },
};

/* What of a zone has been found: bit i for keys[i], and these. */
enum {
    FOUND_PRESENT = 1 << 4,
    FOUND_MANAGED = 1 << 5,
    FOUND_BOOST = 1 << 6,
    FOUND_PROTECTION = 1 << G_N_ELEMENTS(keys),
    FOUND_NEEDED = 2 * FOUND_PROTECTION - 1 - FOUND_MANAGED - FOUND_BOOST,
};

static const char heading[] = "Node ", zone_word[] = ", zone ", protection[] = "protection: (",
                  start_pfn[] = "start_pfn:";

/* Takes `word` off the beginning of what is left of a line. */
static gboolean take_word(const char **text, const char *end, const char *word) {
    gsize len = strlen(word);

    if ((gsize)(end - *text) < len || memcmp(*text, word, len) != 0)
        return FALSE;
    *text += len;
    return TRUE;
}

static void skip_blanks(const char **text, const char *end) {
    while (*text < end && **text == ' ')
        (*text)++;
}

static int take_number(const char **text, const char *end, guint64 *ret) {
    skip_blanks(text, end);
    return mn_number_parse(text, end, ret) < 0 ? -EBADMSG : 0;
}

void mn_zones_clear(MnZones *self) {
    g_free(self->zones);
    *self = (MnZones){ 0 };
}

gboolean mn_zone_is_populated(const MnZone *zone) {
    return zone->managed > 0;
}

gboolean mn_zone_is_same(const MnZone *zone, guint node, const char *name) {
    return zone->node == node && strcmp(zone->name, name) == 0;
}

static gboolean has_zone(const MnZones *self, guint node, const char *name) {
    for (guint i = self->n; i-- > 0;)
        if (mn_zone_is_same(&self->zones[i], node, name))
            return TRUE;
    return FALSE;
}

/* What follows "Node ": "0, zone    DMA32" */
static int begin_zone(MnZones *self, const char *text, const char *end) {
    MnZone zone = { 0 };
    guint64 node;
    gsize name_len;
    int r;

    r = take_number(&text, end, &node);
    if (r < 0)
        return r;
    if (node > G_MAXUINT || !take_word(&text, end, zone_word))
        return -EBADMSG;
    skip_blanks(&text, end);
    name_len = end - text;
    if (name_len == 0 || name_len >= sizeof zone.name || memchr(text, '\0', name_len))
        return -EBADMSG;

    zone.node = (guint)node;
    memcpy(zone.name, text, name_len);
    if (has_zone(self, zone.node, zone.name) || self->n == MN_ZONES_MAX)
        return -EBADMSG;

    if (self->n == self->size) {
        self->size = MAX(16, 2 * self->size);
        self->zones = g_renew(MnZone, self->zones, self->size);
    }
    self->zones[self->n++] = zone;
    return 0;
}

/* What follows "protection: (": "0, 195, 195)" */
static int parse_protection(MnZone *zone, const char *text, const char *end) {
    int r;

    r = take_number(&text, end, &zone->own_reserve);
    zone->upper_reserve = zone->own_reserve;
    while (r == 0 && take_word(&text, end, ","))
        r = take_number(&text, end, &zone->upper_reserve);
    if (r < 0)
        return r;
    return take_word(&text, end, ")") && text == end ? 0 : -EBADMSG;
}

static int note_found(guint *found, guint bit) {
    if (*found & bit)
        return -EBADMSG;
    *found |= bit;
    return 0;
}

/* A line within a zone, without its indentation. Most are statistics, and of no interest. */
static int parse_line(MnZone *zone, guint *found, const char *text, const char *end) {
    int r;

    if (take_word(&text, end, "nr_"))
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!take_word(&text, end, keys[i].name))
            continue;
        r = note_found(found, 1U << i);
        if (r == 0)
            r = take_number(&text, end, (guint64 *)G_STRUCT_MEMBER_P(zone, keys[i].offset));
        if (r == 0 && text < end)
            r = -EBADMSG;
        return r;
    }

    if (take_word(&text, end, protection)) {
        r = note_found(found, FOUND_PROTECTION);
        return r < 0 ? r : parse_protection(zone, text, end);
    }
    return 0;
}

/* When blocks of pages get mixed up the kernel raises the watermarks of a zone, so that kswapd makes
 * room, by several times what they are in a small zone. That says nothing about how much memory there
 * is. The kernel adds the boost to the numbers that it shows. */
static void take_off_boost(MnZone *zone) {
    zone->min -= MIN(zone->boost, zone->min);
    zone->low -= MIN(zone->boost, zone->low);
    zone->high -= MIN(zone->boost, zone->high);
}

static int end_zone(const MnZones *self, guint found) {
    MnZone *zone;

    if (self->n == 0)
        return 0;
    if (!(found & FOUND_PRESENT))
        return -EBADMSG;
    zone = &self->zones[self->n - 1];
    if (!(found & FOUND_MANAGED)) /* before 3.9 what was not managed was not present either */
        zone->managed = zone->present;
    take_off_boost(zone);
    return (~found & FOUND_NEEDED) == 0 || !mn_zone_is_populated(zone) ? 0 : -EBADMSG;
}

static int parse_text(MnZones *self, const char *text, gsize len) {
    const char *end = text + len;
    guint found = 0;
    int r = 0;

    if (len == 0 || end[-1] != '\n')
        return -EBADMSG;

    for (const char *line = text, *newline; r == 0 && line < end; line = newline + 1) {
        const char *words = line;

        newline = memchr(line, '\n', end - line);
        skip_blanks(&words, newline);
        if (words == line && take_word(&words, newline, heading)) {
            r = end_zone(self, found);
            if (r == 0)
                r = begin_zone(self, words, newline);
            found = 0;
        } else if (self->n == 0) {
            r = -EBADMSG;
        } else if (take_word(&words, newline, start_pfn)) {
            self->zones[self->n - 1].end_of_start_pfn = newline + 1 - text;
        } else {
            r = parse_line(&self->zones[self->n - 1], &found, words, newline);
        }
    }
    return r < 0 ? r : end_zone(self, found);
}

/* The kernel lists the zones of a node one after the other. */
static void add_up_nodes(MnZones *self) {
    for (guint i = 0; i < self->n; i++) {
        MnZone *zone = &self->zones[i];

        if (i > 0 && zone[-1].node == zone->node) {
            zone->node_present = zone[-1].node_present;
            continue;
        }
        for (guint j = 0; j < self->n; j++)
            if (self->zones[j].node == zone->node)
                zone->node_present = mn_add(zone->node_present, self->zones[j].present);
    }
}

int mn_zones_parse(MnZones *self, const char *text, gsize len) {
    int r;

    self->n = 0;
    r = parse_text(self, text, len);
    if (r < 0) {
        self->n = 0;
        return r;
    }
    add_up_nodes(self);
    return 0;
}

static guint64 mark_of(const MnZone *zone, MnWatermark mark) {
    return mn_add(mark == MN_WATERMARK_MIN ? zone->min : zone->low, zone->own_reserve);
}

gboolean mn_zone_is_below(const MnZone *zone, MnWatermark mark) {
    return mn_zone_is_populated(zone) && zone->free <= mark_of(zone, mark);
}

guint64 mn_zones_distance(const MnZones *self, MnWatermark mark) {
    guint64 nearest = G_MAXUINT64;

    for (guint i = 0; i < self->n; i++) {
        const MnZone *zone = &self->zones[i];

        if (mn_zone_is_below(zone, mark))
            return 0;
        if (mn_zone_is_populated(zone) && zone->upper_reserve == 0)
            nearest = MIN(nearest, zone->free - mark_of(zone, mark));
    }
    return nearest;
}

/* --- what single CPUs keep --- */

/* The lines that stand between "  pagesets" and "  node_unreclaimable:". */
static gboolean is_of_cpus(const char *line, gsize len) {
    static const char *const beginnings[] = { "  pagesets", "    cpu: ", "              ", "  vm stats threshold: " };

    for (guint i = 0; i < G_N_ELEMENTS(beginnings); i++)
        if (len >= strlen(beginnings[i]) && memcmp(line, beginnings[i], strlen(beginnings[i])) == 0)
            return TRUE;
    return FALSE;
}

gsize mn_zones_cut_cpus(char *text, gsize len) {
    const char *end = text + len;
    char *to = text;

    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (gsize)(end - line));
        gsize line_len = (gsize)((newline ? newline + 1 : end) - line);

        if (!is_of_cpus(line, line_len)) {
            memmove(to, line, line_len);
            to += line_len;
        }
        line += line_len;
    }
    return (gsize)(to - text);
}
