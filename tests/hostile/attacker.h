/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the attackers share. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline _Noreturn void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static inline void demand_arguments(int argc, int n, const char *usage) {
    if (argc == n + 1)
        return;
    fprintf(stderr, "usage: %s\n", usage);
    exit(2);
}

static inline void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static inline int open_below(const char *mount, const char *name, int flags) {
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/%s", mount, name);
    fd = open(path, flags);
    if (fd < 0)
        fail(path);
    return fd;
}

/* Registers descriptor `number` with memcg/cgroup.event_control; 0 or an errno. */
static inline int register_eventfd(int event_control, int number, int usage) {
    char text[64];
    int len = snprintf(text, sizeof text, "%d %d 1G", number, usage);

    return write(event_control, text, len) == len ? 0 : errno;
}
