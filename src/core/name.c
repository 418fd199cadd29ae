/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a threshold may be called. */
#include "name.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <string.h>

int mn_name_check(const char *name) {
    if (strlen(name) > MEMNOTIFYFS_NAME_MAX)
        return -ENAMETOOLONG;
    if (strcmp(name, "-") == 0 || *name == '.' || !g_utf8_validate(name, -1, NULL))
        return -EINVAL;
    for (; *name; name = g_utf8_next_char(name)) {
        gunichar c = g_utf8_get_char(name);

        if (!g_unichar_isgraph(c) || g_unichar_isspace(c)) /* a line separator is both */
            return -EINVAL;
    }
    return 0;
}
