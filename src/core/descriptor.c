/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells about the descriptors of a process, without asking the file behind them:
 *
 *   pos:	0
 *   flags:	02000002
 *   mnt_id:	17
 *   ino:	1039
 *   eventfd-count:                3
 *   eventfd-id: 8 */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The number of the line that begins with `key`. FALSE if there is none. */
static gboolean find_number(const char *text, const char *key, guint base, guint64 *ret) {
    gsize key_len = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (strncmp(line, key, key_len) != 0)
            continue;

        line += key_len + strspn(line + key_len, " \t");
        if (!g_ascii_isdigit(*line))
            return FALSE;
        *ret = g_ascii_strtoull(line, NULL, base);
        return TRUE;
    }
    return FALSE;
}

int mn_descriptor_parse(const char *text, MnDescriptor *descriptor) {
    guint64 flags;

    if (!find_number(text, "flags:", 8, &flags))
        return -EBADMSG;

    descriptor->is_path = (flags & O_PATH) != 0;
    descriptor->is_eventfd = find_number(text, "eventfd-id:", 10, &descriptor->eventfd_id);
    return 0;
}
