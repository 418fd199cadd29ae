/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's patience with a FUSE server. */
#include "request_timeout.h"

/* "30\n"; 0 where the kernel does not have it. */
static guint read_seconds(const char *path) {
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    return (guint)MIN(g_ascii_strtoull(text, NULL, 10), G_MAXUINT);
}

guint mn_request_timeout_s(void) {
    guint preset = read_seconds("/proc/sys/fs/fuse/default_request_timeout");
    guint most = read_seconds("/proc/sys/fs/fuse/max_request_timeout");

    return preset > 0 && most > 0 ? MIN(preset, most) : MAX(preset, most);
}
