/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/herd.h"
#include "core/shortage.h"
#include "target.h"

#include <errno.h>
#include <string.h>

static void check_zone(const MnZones *zones, guint i, const char *text, gsize len) {
    const MnZone *zone = &zones->zones[i];
    gsize end = zone->end_of_start_pfn;

    g_assert_nonnull(memchr(zone->name, '\0', sizeof zone->name));
    g_assert_cmpuint(strlen(zone->name), >, 0);
    g_assert_true(end == 0 || (end <= len && text[end - 1] == '\n'));
    g_assert_cmpuint(zone->node_present, >=, zone->present);
    for (guint j = 0; j < i; j++) {
        g_assert_false(mn_zone_is_same(zone, zones->zones[j].node, zones->zones[j].name));
        g_assert_true(end == 0 || end > zones->zones[j].end_of_start_pfn); /* they ascend */
    }
    if (mn_zone_is_below(zone, MN_WATERMARK_LOW))
        g_assert_cmpuint(mn_zones_distance(zones, MN_WATERMARK_LOW), ==, 0);
}

/* What the devices make of it. */
static void use(const MnZones *zones) {
    MnSample sample = { 0 };
    MnHerd herd = { 0 };
    MnShortage shortage;
    char line[MN_SHORTAGE_LINE_BYTES];
    guint n_pressed = 0;

    mn_herd_advance(&herd, zones, TRUE, 0);
    for (guint i = 0; i < zones->n; i++)
        n_pressed += mn_herd_get_status(&herd, &zones->zones[i]) == 1;
    g_assert_cmpuint(n_pressed, ==, herd.n_pressed);
    mn_herd_clear(&herd);

    mn_shortage_init(&shortage, MN_SHORTAGE_ORDINARY);
    mn_shortage_advance(&shortage, &sample, zones, 0);
    mn_shortage_describe(&shortage, 0, line);
    g_assert_true(g_str_has_suffix(line, "\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    g_auto(MnZones) zones = { 0 };
    int r;

    r = mn_zones_parse(&zones, text, size);
    if (r < 0) {
        g_assert_cmpint(r, ==, -EBADMSG);
        g_assert_cmpuint(zones.n, ==, 0);
        return 0;
    }

    g_assert_true(size > 0 && text[size - 1] == '\n');
    g_assert_cmpuint(zones.n, >, 0);
    for (guint i = 0; i < zones.n; i++)
        check_zone(&zones, i, text, size);
    use(&zones);
    return 0;
}
