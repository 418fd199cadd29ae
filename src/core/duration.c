/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "duration.h"

#include <string.h>

#define MOST_S (10000.0 * 24 * 60 * 60)

/* What decimals are less by in binary than they say. */
#define ROUNDING_US 0.001

static const struct {
    const char *name;
    double seconds;
} units[] = { { "", 1 }, { "ms", 0.001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 24 * 3600 } };

gboolean mn_duration_parse(const char *text, gint64 *ret_us) {
    char *end;
    double number;

    /* strtod() knows more: signs, blanks, "inf", "0x1p3", "1e3". */
    if (!g_ascii_isdigit(*text) || strpbrk(text, "xXeE"))
        return FALSE;
    number = g_ascii_strtod(text, &end);
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(end, units[i].name) == 0 && number * units[i].seconds <= MOST_S) {
            *ret_us = (gint64)(number * units[i].seconds * G_USEC_PER_SEC + ROUNDING_US);
            return TRUE;
        }
    return FALSE;
}
