/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* The driver's meter "used" in pages, computed from /proc/meminfo and independently of the daemon:
 * what a program does that has no daemon to ask. */
uint64_t used_pages(void);

/* MemAvailable, in MiB. */
uint64_t used_available_mib(void);
