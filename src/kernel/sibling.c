/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of one installation lie in one directory, which need not be in PATH: so an installation that is tried out
 * does not start the server of another. */
#include "sibling.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int mn_sibling_execute(const char *name, char *const argv[]) {
    char self[PATH_MAX], sibling[2 * PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len > 0) {
        self[len] = '\0';
        if (snprintf(sibling, sizeof sibling, "%s/%s", dirname(self), name) < (int)sizeof sibling)
            execv(sibling, argv);
    }
    execvp(name, argv);
    return -errno;
}
