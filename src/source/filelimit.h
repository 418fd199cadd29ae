/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Lets us have as many descriptors as we may: the soft limit of 1024 is only there for programs that use
 * select(). Returns how many that is; 0 when it cannot be told. */
guint mn_file_limit_raise(void);
