/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What to write to `simulate` so that it shows `before` again and not `after`, two texts that it has shown: what is the
 * same in both is left alone. "" where nothing is to be written. To be freed. */
char *cmd_putback_words(const char *before, const char *after);
