/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zoneinfo: the kernel's text byte for byte, and in each zone the line that mem_notify put there:
 *
 *     start_pfn:           4096
 *     mem_notify_status: 0
 *
 * Pressure is followed only while somebody has mem_notify open. */
#include "board/board.h"
#include "devices/mem_notify.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>

/* For how long a text may be shown: nine times as long as it took to make, so that making it takes a tenth of our time
 * at most, whoever reads how often, but no longer than anybody would notice. */
#define AGE_PER_COST 9
#define AGE_MAX_US 10000

/* The node's data: the last text. */
typedef struct Zoneinfo {
    MnBoard *board;
    MnMemNotify *device;
    GString *text;  /* NULL before the first */
    guint64 serial; /* of the moment */
    gint64 made_us;
    gint64 cost_us;
} Zoneinfo;

static void append_status(GString *text, const MnMemNotify *device, const MnZone *zone) {
    g_string_append_printf(text, "  mem_notify_status: %d\n", mn_mem_notify_get_status(device, zone));
}

static int render(const Zoneinfo *self, GString *text) {
    g_auto(MnZones) zones = { 0 };
    const char *kernel_text;
    gsize len, at = 0;
    int r;

    r = mn_probe_read_text(mn_board_get_probe(self->board), MN_SOURCE_ZONEINFO, &kernel_text, &len);
    if (r == 0)
        r = mn_zones_parse(&zones, kernel_text, len);
    if (r < 0)
        return r == -EBADMSG ? -EIO : r;

    for (guint i = 0; i < zones.n; i++) {
        gsize end = zones.zones[i].end_of_start_pfn;

        if (end == 0)
            continue;
        g_string_append_len(text, kernel_text + at, end - at);
        append_status(text, self->device, &zones.zones[i]);
        at = end;
    }
    g_string_append_len(text, kernel_text + at, len - at);
    return 0;
}

/* What is written into a copy of /proc is to be seen at once. */
static gboolean is_young(const Zoneinfo *self) {
    return self->text && mn_probe_is_live(mn_board_get_probe(self->board)) &&
           self->serial == mn_board_get_moment(self->board)->serial &&
           mn_board_now_us(self->board) - self->made_us < MIN(AGE_PER_COST * self->cost_us, AGE_MAX_US);
}

static int make(Zoneinfo *self) {
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 begun_us = mn_board_now_us(self->board);
    int r;

    r = render(self, text);
    if (r < 0)
        return r;
    if (self->text)
        g_string_free(self->text, TRUE);
    self->text = g_steal_pointer(&text);
    self->serial = mn_board_get_moment(self->board)->serial;
    self->made_us = mn_board_now_us(self->board);
    self->cost_us = self->made_us - begun_us;
    return 0;
}

static int zoneinfo_read(MnOpen *open, GString *text) {
    Zoneinfo *self = open->node->data;
    int r;

    r = is_young(self) ? 0 : make(self);
    if (r == 0)
        g_string_append_len(text, self->text->str, self->text->len);
    return r;
}

/* Of the last text, since the next has about that length. */
static gsize zoneinfo_size(const MnNode *node) {
    Zoneinfo *self = node->data;

    if (!self->text && make(self) < 0)
        return 0;
    return mn_node_size_for(self->text->len);
}

static void zoneinfo_free(gpointer data) {
    Zoneinfo *self = data;

    if (self->text)
        g_string_free(self->text, TRUE);
    g_free(self);
}

static const MnFileOps zoneinfo_ops = {
    .size_now = zoneinfo_size,
    .read = zoneinfo_read,
    .free_data = zoneinfo_free,
};

void mn_zoneinfo_add(MnTree *tree, MnBoard *board, MnMemNotify *device) {
    Zoneinfo *self = g_new0(Zoneinfo, 1);

    self->board = board;
    self->device = device;
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_ZONEINFO, 0444, &zoneinfo_ops, self);
}
