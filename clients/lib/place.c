/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include <errno.h>
#include <memnotifyfs/contract.h>
#include <stdio.h>
#include <string.h>

/* Without slashes at the end, since there a socket's name goes on. */
static int add(struct places *self, const char *directory, const char *below) {
    char *path = self->paths[self->n];
    int len = snprintf(path, PATH_MAX, "%s%s", directory, below);

    if (len < 0 || len >= PATH_MAX)
        return -ENAMETOOLONG;
    while (len > 1 && path[len - 1] == '/')
        path[--len] = '\0';
    self->n++;
    return 0;
}

int places_find(const char *argument, const char *environment, const char *runtime_dir, struct places *ret) {
    int r;

    ret->n = 0;
    if (argument && *argument)
        return add(ret, argument, "");
    if (environment && *environment)
        return add(ret, environment, "");
    r = add(ret, MEMNOTIFYFS_MOUNT, "");
    if (r == 0 && runtime_dir && *runtime_dir)
        r = add(ret, runtime_dir, "/" MEMNOTIFYFS_MOUNT_OF_USER);
    return r;
}
