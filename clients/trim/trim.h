/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libmemnotify-trim takes from who preloads it. */
#ifndef TRIM_H
#define TRIM_H

#define TRIM_LIBRARY "libmemnotify-trim.so"

/* The environment variable with the limits that it waits for; TRIM_LIMITS where there is none. */
#define TRIM_ENVIRONMENT "MEMNOTIFY_TRIM"
#define TRIM_LIMITS "available<10%"

#endif
