/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/mountinfo:
 *
 *   36 35 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
 *
 * the id, the parent's, the device, root, mount point, options of the mount, any number of optional
 * fields, a lone "-", type, source, options of the filesystem. Blanks and backslashes in a path are
 * octal: "\040". */
#include "mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ID, PARENT, DEVICE, ROOT, MOUNTPOINT, MOUNT_OPTIONS, N_FIRST_FIELDS };
enum { TYPE, SOURCE, OPTIONS, N_LAST_FIELDS };

void mn_mount_clear(MnMount *self) {
    g_free(self->mountpoint);
    g_free(self->type);
    *self = (MnMount){ 0 };
}

/* g_strcompress() undoes the escapes. */
static gboolean parse_line(const char *line, MnMount *ret) {
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    guint n = g_strv_length(fields), dash = N_FIRST_FIELDS;

    while (dash < n && strcmp(fields[dash], "-") != 0)
        dash++;
    if (dash + N_LAST_FIELDS >= n)
        return FALSE;
    if (sscanf(fields[DEVICE], "%u:%u", &ret->major, &ret->minor) != 2)
        return FALSE;
    ret->id = g_ascii_strtoull(fields[ID], NULL, 10);
    ret->mountpoint = g_strcompress(fields[MOUNTPOINT]);
    ret->type = g_strdup(fields[dash + 1 + TYPE]);
    return TRUE;
}

int mn_mount_find(const char *text, gboolean (*accept)(const MnMount *mount, gconstpointer data),
                  gconstpointer data, MnMount *ret) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean found = FALSE;

    for (guint i = 0; lines[i]; i++) {
        g_auto(MnMount) mount = { 0 };

        if (!parse_line(lines[i], &mount) || !accept(&mount, data))
            continue;
        if (found)
            mn_mount_clear(ret);
        found = TRUE;
        *ret = mount;
        mount = (MnMount){ 0 };
    }
    return found ? 0 : -ENOENT;
}

int mn_mount_find_device(const char *text, guint64 id, guint *ret_major, guint *ret_minor) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        unsigned long long found;
        guint major, minor;

        if (*line == '\n')
            line++;
        if (sscanf(line, "%llu %*d %u:%u", &found, &major, &minor) != 3 || found != id)
            continue;
        *ret_major = major;
        *ret_minor = minor;
        return 0;
    }
    return -ENOENT;
}
