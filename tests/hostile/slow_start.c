/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A library that takes its time when it is loaded, and then changes its groups: when a line has come on standard input. */
#include <err.h>
#include <grp.h>
#include <unistd.h>

__attribute__((constructor)) static void start(void) {
    gid_t group = 7;
    char byte;

    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        ;
    if (setgroups(1, &group) < 0)
        err(1, "cannot change the groups");
}
