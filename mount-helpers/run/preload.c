/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preload.h"

#include "place.h"
#include "program.h"
#include "trim.h"

#include <err.h>
#include <libgen.h>
#include <limits.h>
#include <memnotifyfs/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD"
#define SEPARATORS " :" /* of what ld.so(8) is to preload */

/* It lies beside this program, as who copies them into a container has them; in the build tree; or where it is installed. */
static const char *const near[] = { "", "/../clients/trim" };

static void find_library(char ret[PATH_MAX]) {
    char self[PATH_MAX] = "", library[PATH_MAX + 64];
    const char *directory;

    if (readlink("/proc/self/exe", self, sizeof self - 1) > 0) {
        directory = dirname(self);
        for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
            snprintf(library, sizeof library, "%s%s/" TRIM_LIBRARY, directory, near[i]);
            if (realpath(library, ret))
                return;
        }
    }
    if (!realpath(TRIM_LIBRARY_DIR "/" TRIM_LIBRARY, ret))
        err(EXIT_OURS, "cannot find '%s'", TRIM_LIBRARY_DIR "/" TRIM_LIBRARY);
}

/* First, before what is preloaded anyway. */
static void preload(const char *library) {
    const char *others = getenv(PRELOAD);
    char *all;

    if (strpbrk(library, SEPARATORS))
        errx(EXIT_OURS, "cannot preload '%s': the dynamic loader takes no path with a blank or a colon", library);
    if (asprintf(&all, "%s%s%s", library, others && *others ? ":" : "", others ? others : "") < 0 ||
        setenv(PRELOAD, all, 1) < 0)
        err(EXIT_OURS, "cannot set " PRELOAD);
    free(all);
}

static void check_limits(const char *place, const char *limits) {
    memnotifyfs *client;
    unsigned column;
    int r = memnotifyfs_open(place, &client);

    if (r < 0)
        errx(EXIT_OURS, "cannot ask the server at '%s': %s", place, strerror(-r));
    r = memnotifyfs_set_limits(client, limits);
    if (r < 0) {
        const char *reason = memnotifyfs_get_error(client, &column);

        errx(EXIT_OURS, "cannot wait for '%s': column %u: %s", limits, column, *reason ? reason : strerror(-r));
    }
    memnotifyfs_close(client);
}

static void say_of(const char *command) {
    Program program = program_look(command);

    if (program.kind == PROGRAM_STATIC)
        warnx("'%s' gives nothing back: it is static, nothing can be preloaded", command);
    else if (program.kind == PROGRAM_FOREIGN)
        warnx("'%s' gives nothing back: it is for another C library or processor", command);
    else if (program.has_rights)
        warnx("'%s' gives nothing back: it has rights that its user does not have", command);
}

void preload_trim(const char *place, const char *limits, const char *command) {
    const char *wish = limits ? limits : getenv(TRIM_ENVIRONMENT);
    char library[PATH_MAX];

    if (!wish || !*wish)
        wish = TRIM_LIMITS;
    check_limits(place, wish);
    find_library(library);
    preload(library);
    if (setenv(TRIM_ENVIRONMENT, wish, 1) < 0)
        err(EXIT_OURS, "cannot set " TRIM_ENVIRONMENT);
    say_of(command);
}
