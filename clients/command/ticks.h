/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the marks of an axis are apart, so that there are no more than `most` between 0 and the top, and people can read
 * them. */

/* Bytes: a power of two, 4096 at least. */
guint64 cmd_ticks_of_bytes(guint64 top, guint most);

/* Anything that people count in tens: 1, 2 or 5 of a power of ten. */
guint64 cmd_ticks_of_number(guint64 top, guint most);

/* Seconds: what parts a minute, an hour or a day evenly; else whole days. */
gint64 cmd_ticks_of_seconds(gint64 duration_s, guint most);
