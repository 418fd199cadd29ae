/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Reads the decimal digits at *at, up to `end`, and moves *at behind them. No sign, no blanks.
 * -EINVAL, with nothing changed: no digit there, or a number over 64 bits. */
int mn_number_parse(const char **at, const char *end, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
