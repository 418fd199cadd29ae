/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "descriptors.h"

#include <string.h>

guint open_descriptors(const char *part) {
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    const char *name;
    guint n = 0;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        n += target && strstr(target, part);
    }
    return n;
}
