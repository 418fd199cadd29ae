/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Parses "10", "1.5s", "200ms", "5m", "2h" or "1d", as sleep(1) has them, which are seconds without a unit. FALSE: it is
 * none, or negative, or more than ten thousand days. */
gboolean cmd_duration_parse(const char *text, gint64 *ret_us) G_GNUC_WARN_UNUSED_RESULT;

/* The same for the argument of an option, which may be NULL: then *ret_us stays as it is. Says what is wrong. */
gboolean cmd_duration_take(const char *option, const char *text, gint64 *ret_us) G_GNUC_WARN_UNUSED_RESULT;
