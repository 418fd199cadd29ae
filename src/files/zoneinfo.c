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

/* The node's data. */
typedef struct Zoneinfo {
    MnBoard *board;
    MnMemNotify *device;
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

static int zoneinfo_read(MnOpen *open, GString *text) {
    return render(open->node->data, text);
}

static gsize zoneinfo_size(const MnNode *node) {
    g_autoptr(GString) text = g_string_new(NULL);

    return render(node->data, text) < 0 ? 0 : mn_node_size_for(text->len);
}

static const MnFileOps zoneinfo_ops = {
    .size_now = zoneinfo_size,
    .read = zoneinfo_read,
    .free_data = g_free,
};

void mn_zoneinfo_add(MnTree *tree, MnBoard *board, MnMemNotify *device) {
    const Zoneinfo self = { board, device };

    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_ZONEINFO, 0444, &zoneinfo_ops,
                     g_memdup2(&self, sizeof self));
}
