/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Appends as much of a text as has room in so many columns of a terminal, in the locale's encoding: as mn_text_show_next()
 * shows it, and byte by byte in octal also what the terminal cannot show, or what has no width of its own. Returns how
 * many columns it takes. */
guint cmd_columns_append(GString *line, const char *text, guint columns);
