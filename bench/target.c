/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One way to drive ours and the floors.
 *
 * Client i of ours waits for half of total + i steps. raise_one() simulates a rise from below its
 * limit to just above it, raise_all() crosses all limits, upwards and downwards in turn; either way
 * it is one write. */
#include "target.h"

#include "client.h"
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

static void take_text(int fd) {
    char buffer[128];

    if (pread(fd, buffer, sizeof buffer, 0) < 0)
        fatal("cannot read");
}

static void take_line(int fd) {
    char buffer[128];

    if (read(fd, buffer, sizeof buffer) <= 0)
        fatal("the server has ended");
}

/* ---- ours */

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

static int socket_open_client(const Target *self, unsigned i) {
    int fd = client_connect(self->mount);
    char text[64];

    snprintf(text, sizeof text, "watch used %" PRIu64 "\n", limit_pages(self, i));
    client_ask(fd, text);
    return fd;
}

static void ours_raise_one(Target *self, unsigned i) {
    simulate_used(self, limit_pages(self, i));
}

static void ours_raise_all(Target *self) {
    self->is_up = !self->is_up;
    simulate_used(self, self->is_up ? 2 * self->first_pages : 1);
}

/* ---- the bare server's */

static int floor_open_client(const Target *self, unsigned i __attribute__((unused))) {
    return open_in(self->mount, "constant", O_RDWR);
}

static int bare_open_client(const Target *self, unsigned i __attribute__((unused))) {
    int fd = client_connect(self->mount);

    client_ask(fd, "watch\n");
    return fd;
}

static void floor_raise_one(Target *self, unsigned i __attribute__((unused))) {
    write_text(self->control_fd, "1");
}

static void floor_raise_all(Target *self) {
    write_text(self->control_fd, "a");
}

static void byte_raise_all(Target *self) {
    write_text(self->control_fd, "s");
}

static void lines_raise_all(Target *self) {
    write_text(self->control_fd, "S");
}

static void echo_raise_all(Target *self) {
    if (write(self->control_fd, "1", 1) != 1)
        fatal("the bare server has ended");
}

static const TargetKind kinds[] = {
    { "ours", "simulate", ours_open_client, take_text, ours_raise_one, ours_raise_all },
    { "floor", "control", floor_open_client, take_text, floor_raise_one, floor_raise_all },
    { "socket", "simulate", socket_open_client, take_line, ours_raise_one, ours_raise_all },
    { "byte", "control", bare_open_client, take_line, NULL, byte_raise_all },
    { "lines", "control", bare_open_client, take_line, NULL, lines_raise_all },
    { "echo", NULL, bare_open_client, take_line, NULL, echo_raise_all },
};

static const TargetKind *find_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    fatal("there is no '%s'", name);
}

static uint64_t read_total(const char *mount) {
    int fd = open_in(mount, "meters/total", O_RDONLY);
    char text[32] = "";

    if (read(fd, text, sizeof text - 1) <= 0)
        fatal("cannot read meters/total");
    close(fd);
    return strtoull(text, NULL, 10);
}

void target_open(Target *self, const char *kind, const char *mount) {
    *self = (Target){ .kind = find_kind(kind), .mount = mount };
    self->control_fd = self->kind->control ? open_in(mount, self->kind->control, O_WRONLY) : client_connect(mount);
    if (self->kind->raise_all != ours_raise_all)
        return;
    self->first_pages = read_total(mount) / 2;
    simulate_used(self, 1);
}

void target_close(Target *self) {
    close(self->control_fd);
}
