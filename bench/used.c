/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "used.h"

#include "fatal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As M1 of the driver has it: memory and swap that are neither free nor cache that can be dropped.
 * Locked pages are added because they may be cache that cannot. */
static const struct {
    const char *key;
    int sign;
} terms[] = {
    { "\nSwapTotal:", 1 }, { "\nMemFree:", -1 }, { "\nSReclaimable:", -1 },
    { "\nBuffers:", -1 },  { "\nCached:", -1 },  { "\nSwapCached:", -1 },
    { "\nShmem:", 1 },     { "\nMlocked:", 1 },  { "\nSwapFree:", -1 },
};

static int64_t kib_of(const char *text, const char *key) {
    const char *line = strstr(text, key);

    return line ? strtoll(line + strlen(key), NULL, 10) : 0;
}

static int group_fd = -1;

static void read_text(int fd, char *text, size_t size) {
    ssize_t n = pread(fd, text, size - 1, 0);

    if (n <= 0)
        fatal("cannot read how much memory is used");
    text[n] = '\0';
}

static void read_meminfo(char *text, size_t size) {
    static int fd = -1;

    if (fd < 0)
        fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    read_text(fd, text, size);
}

void used_choose_group(const char *directory) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/memory.current", directory);
    group_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (group_fd < 0)
        fatal("cannot open '%s'", path);
}

static uint64_t group_used_pages(void) {
    char text[32];

    read_text(group_fd, text, sizeof text);
    return strtoull(text, NULL, 10) / sysconf(_SC_PAGESIZE);
}

uint64_t used_pages(void) {
    char text[8192];
    int64_t kib;

    if (group_fd >= 0)
        return group_used_pages();
    read_meminfo(text, sizeof text);
    kib = kib_of(text, "MemTotal:");
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        kib += terms[i].sign * kib_of(text, terms[i].key);
    return kib * 1024 / sysconf(_SC_PAGESIZE);
}

uint64_t used_available_mib(void) {
    char text[8192];

    read_meminfo(text, sizeof text);
    return kib_of(text, "\nMemAvailable:") / 1024;
}
