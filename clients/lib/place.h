/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a server may be. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>

#define PLACES_MAX 2

struct places {
    char paths[PLACES_MAX][PATH_MAX]; /* mount points, or sockets; the better ones first */
    unsigned n;
};

/* `argument` is that of the caller, or NULL; the others are variables of the environment, or NULL: $MEMNOTIFYFS and
 * $XDG_RUNTIME_DIR. 0; -ENAMETOOLONG. */
int places_find(const char *argument, const char *environment, const char *runtime_dir, struct places *ret);

#endif
