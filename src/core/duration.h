/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Parses "10", "1.5s", "200ms", "5m", "2h" or "1d", as sleep(1) has them, which are seconds without a unit. FALSE: it is
 * none, or negative, or more than ten thousand days. */
gboolean mn_duration_parse(const char *text, gint64 *ret_us) G_GNUC_WARN_UNUSED_RESULT;
