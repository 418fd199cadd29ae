/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

#include "fatal.h"

#include <stdio.h>
#include <unistd.h>

#define AUTOGROUP "/proc/self/autogroup"

/* "/autogroup-25 nice 0\n"; the file is missing where sessions do not matter. */
static int read_nice(void) {
    FILE *file = fopen(AUTOGROUP, "re");
    int nice = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%*s nice %d", &nice) != 1)
        nice = 0;
    fclose(file);
    return nice;
}

static void write_nice(int nice) {
    FILE *file = fopen(AUTOGROUP, "we");

    if (!file)
        return;
    if (fprintf(file, "%d", nice) < 0 || fclose(file) != 0)
        fatal("cannot set the priority of a session");
}

void session_new(void) {
    int nice = read_nice();

    if (setsid() < 0)
        fatal("cannot make a session");
    write_nice(nice);
}
