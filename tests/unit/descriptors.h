/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How many descriptors of this process lead to something with `part` in its name, as "[eventfd]", "pidfd"
 * or a directory; "" for all, with one that is there while we look. */
guint open_descriptors(const char *part);
