/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "duration.h"

#include "message.h"

#include "core/duration.h"

gboolean cmd_duration_take(const char *option, const char *text, gint64 *ret_us) {
    if (!text || mn_duration_parse(text, ret_us))
        return TRUE;
    cmd_misuse("%s: '%s' is no time; seconds, or a number with ms, s, m, h or d", option, text);
    return FALSE;
}
