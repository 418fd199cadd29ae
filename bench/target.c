/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One way to drive ours and the floor.
 *
 * Client i of ours waits for half of total + i steps. raise_one() simulates a rise from below its
 * limit to just above it, raise_all() crosses all limits, upwards and downwards in turn; either way
 * it is one write. A client reads its file to be ready for the next event. */
#include "target.h"

#include "fatal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_in(const char *mount, const char *name, int flags) {
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s", mount, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

static void write_text(int fd, const char *text) {
    if (pwrite(fd, text, strlen(text), 0) < 0)
        fatal("cannot write '%s'", text);
}

static void simulate_used(Target *self, uint64_t pages) {
    char text[64];

    snprintf(text, sizeof text, "used %" PRIu64, pages);
    write_text(self->control_fd, text);
}

static uint64_t limit_pages(const Target *self, unsigned i) {
    return self->first_pages + (uint64_t)i * TARGET_STEP_PAGES;
}

static int ours_open_client(const Target *self, unsigned i) {
    int fd = open_in(self->mount, "memnotify", O_RDWR);
    char text[64];

    snprintf(text, sizeof text, "used %" PRIu64, limit_pages(self, i));
    write_text(fd, text);
    return fd;
}

static void ours_raise_one(Target *self, unsigned i) {
    simulate_used(self, limit_pages(self, i));
}

static void ours_raise_all(Target *self) {
    self->is_up = !self->is_up;
    simulate_used(self, self->is_up ? 2 * self->first_pages : 1);
}

static int bare_open_client(const Target *self, unsigned i __attribute__((unused))) {
    return open_in(self->mount, "constant", O_RDWR);
}

static void bare_raise_one(Target *self, unsigned i __attribute__((unused))) {
    write_text(self->control_fd, "1");
}

static void bare_raise_all(Target *self) {
    write_text(self->control_fd, "a");
}

static uint64_t read_total(const char *mount) {
    int fd = open_in(mount, "meters/total", O_RDONLY);
    char text[32] = "";

    if (read(fd, text, sizeof text - 1) <= 0)
        fatal("cannot read meters/total");
    close(fd);
    return strtoull(text, NULL, 10);
}

void target_open_ours(Target *self, const char *mount) {
    *self = (Target){ .name = "ours",
                      .open_client = ours_open_client,
                      .raise_one = ours_raise_one,
                      .raise_all = ours_raise_all,
                      .mount = mount };
    self->control_fd = open_in(mount, "simulate", O_WRONLY);
    self->first_pages = read_total(mount) / 2;
    simulate_used(self, 1);
}

void target_open_bare(Target *self, const char *mount) {
    *self = (Target){ .name = "floor",
                      .open_client = bare_open_client,
                      .raise_one = bare_raise_one,
                      .raise_all = bare_raise_all,
                      .mount = mount };
    self->control_fd = open_in(mount, "control", O_WRONLY);
}

void target_close(Target *self) {
    close(self->control_fd);
}
