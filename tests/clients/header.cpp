/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header in a C++ program. */
#include <memnotifyfs/memnotifyfs.h>

extern "C" int watch_from_cxx(const char *mount, const char *limits);

int watch_from_cxx(const char *mount, const char *limits) {
    return memnotifyfs_watch(mount, limits);
}
