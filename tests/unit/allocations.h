/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How many blocks this program and its libraries have asked the allocator for until now. */
guint64 allocations(void);
