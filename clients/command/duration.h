/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* As mn_duration_parse() for the argument of an option, which may be NULL: then *ret_us stays as it is. FALSE: it was said
 * what is wrong. */
gboolean cmd_duration_take(const char *option, const char *text, gint64 *ret_us) G_GNUC_WARN_UNUSED_RESULT;
