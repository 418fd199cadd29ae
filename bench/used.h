/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* The driver's meter "used" in pages, computed from /proc/meminfo and independently of the daemon:
 * what a program does that has no daemon to ask. Of a group, if one was chosen, memory.current. */
uint64_t used_pages(void);

/* From now on, here and in processes that are forked, used_pages() is that of a cgroup (v2). */
void used_choose_group(const char *directory);

/* MemAvailable, in MiB. */
uint64_t used_available_mib(void);
