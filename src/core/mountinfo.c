/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/mountinfo:
 *
 *   36 35 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
 *
 * the id, the parent's, the device, root, mount point, options of the mount, any number of optional
 * fields, a lone "-", type, source, options of the filesystem. Blanks and backslashes in a path are
 * octal: "\040". */
#include "mountinfo.h"

#include <stdio.h>
#include <string.h>

enum {
    ID,
    PARENT,
    DEVICE,
    ROOT,
    MOUNTPOINT,
    MOUNT_OPTIONS,
    N_FIRST_FIELDS
};
enum {
    TYPE,
    SOURCE,
    OPTIONS,
    N_LAST_FIELDS
};

void mn_mount_clear(MnMount *self) {
    g_free(self->root);
    g_free(self->mountpoint);
    g_free(self->line);
    *self = (MnMount){ 0 };
}

/* Takes the next `n` fields off *rest. FALSE if there are fewer. */
static gboolean split(char **rest, char **fields, guint n) {
    for (guint i = 0; i < n; i++) {
        fields[i] = strsep(rest, " ");
        if (!fields[i])
            return FALSE;
    }
    return TRUE;
}

static gboolean skip_optional_fields(char **rest) {
    char *field;

    do
        field = strsep(rest, " ");
    while (field && strcmp(field, "-") != 0);
    return field != NULL;
}

/* Takes over `line`. g_strcompress() undoes the escapes. */
static gboolean parse_line(MnMount *self, char *line) {
    char *first[N_FIRST_FIELDS], *last[N_LAST_FIELDS], *rest = line;

    self->line = line;
    if (!split(&rest, first, N_FIRST_FIELDS) || !skip_optional_fields(&rest) || !split(&rest, last, N_LAST_FIELDS))
        return FALSE;
    if (sscanf(first[DEVICE], "%u:%u", &self->major, &self->minor) != 2)
        return FALSE;
    self->id = g_ascii_strtoull(first[ID], NULL, 10);
    self->root = g_strcompress(first[ROOT]);
    self->mountpoint = g_strcompress(first[MOUNTPOINT]);
    self->type = last[TYPE];
    self->options = last[OPTIONS];
    return TRUE;
}

gboolean mn_mount_next(MnMount *self, const char **text) {
    gboolean is_understood = FALSE;

    while (!is_understood && **text) {
        gsize len = strcspn(*text, "\n");

        mn_mount_clear(self);
        is_understood = parse_line(self, g_strndup(*text, len));
        *text += len + ((*text)[len] == '\n');
    }
    if (!is_understood)
        mn_mount_clear(self);
    return is_understood;
}
