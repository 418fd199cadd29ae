/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zoneinfo: the kernel's text byte for byte, and in each zone the line that mem_notify put there:
 *
 *     start_pfn:           4096
 *     mem_notify_status: 0
 *
 * Pressure is followed only while somebody has mem_notify open. */
#include "core/herd.h"
#include "files/files.h"
#include "fs/open.h"

#include <errno.h>

static void append_status(GString *text, const MnHerd *herd, const MnZone *zone) {
    g_string_append_printf(text, "  mem_notify_status: %d\n", mn_herd_get_status(herd, zone));
}

static int render(const MnFilesContext *context, GString *text) {
    g_auto(MnZones) zones = { 0 };
    const char *kernel_text;
    gsize len, at = 0;
    int r;

    r = mn_sampler_read_text(context->sampler, MN_SOURCE_ZONEINFO, &kernel_text, &len);
    if (r == 0)
        r = mn_zones_parse(&zones, kernel_text, len);
    if (r < 0)
        return r == -EBADMSG ? -EIO : r;

    for (guint i = 0; i < zones.n; i++) {
        gsize end = zones.zones[i].end_of_start_pfn;

        if (end == 0)
            continue;
        g_string_append_len(text, kernel_text + at, end - at);
        append_status(text, &context->herd, &zones.zones[i]);
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
};

void mn_zoneinfo_add(MnTree *tree, MnFilesContext *context) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), "zoneinfo", 0444, &zoneinfo_ops, context);
}
