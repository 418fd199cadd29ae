/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways in which a program may learn that memory is short: ours and its peers.
 *
 * All do the same: at an order they begin to wait, put down when they know, and stop at the next
 * order, which interrupts any wait. */
#include "watcher.h"

#include "fatal.h"
#include "series.h"
#include "session.h"
#include "used.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_text(int fd, const char *text, size_t len) {
    return write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

static int open_in(const char *directory, const char *name, int flags) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC);
}

static void close_event(Watcher *self) {
    close(self->fd);
}

static int memnotify_arm(Watcher *self) {
    char text[64];

    self->fd = open_in(self->argument, "memnotify", O_RDWR);
    snprintf(text, sizeof text, "used %" PRIu64, self->limit);
    return self->fd < 0 ? -1 : write_text(self->fd, text, strlen(text));
}

/* An eventfd that is counted up when the usage of a cgroup v1, or what looks like one, passes a number
 * of bytes. */
static int threshold_arm(Watcher *self, const char *directory, bool is_relative) {
    int usage_fd = open_in(directory, "memory.usage_in_bytes", O_RDONLY);
    int control_fd = open_in(directory, "cgroup.event_control", O_WRONLY);
    char usage[32] = "", text[96];
    int r = -1;

    self->fd = eventfd(0, EFD_CLOEXEC);
    if (usage_fd >= 0 && control_fd >= 0 && read(usage_fd, usage, sizeof usage - 1) > 0) {
        uint64_t bytes = is_relative ? strtoull(usage, NULL, 10) + self->limit : self->limit * sysconf(_SC_PAGESIZE);

        snprintf(text, sizeof text, "%d %d %" PRIu64, self->fd, usage_fd, bytes);
        r = write_text(control_fd, text, strlen(text) + 1);
    }
    if (usage_fd >= 0)
        close(usage_fd);
    if (control_fd >= 0)
        close(control_fd);
    return r;
}

static int cgroup_arm(Watcher *self) {
    return threshold_arm(self, self->argument, true);
}

static int memcg_arm(Watcher *self) {
    char directory[PATH_MAX];

    snprintf(directory, sizeof directory, "%s/memcg", self->argument);
    return threshold_arm(self, directory, false);
}

/* The same trigger as the daemon's, the finest that needs no privilege. It stays open: closing one
 * takes tens of milliseconds. */
static int psi_arm(Watcher *self) {
    static const char trigger[] = "some 150000 2000000";

    if (self->fd >= 0)
        return 0;
    self->fd = open(self->argument ? self->argument : "/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return self->fd < 0 ? -1 : write_text(self->fd, trigger, sizeof trigger);
}

static void leave_open(Watcher *self __attribute__((unused))) {
}

static int each_second(uint64_t headroom_kib __attribute__((unused))) {
    return 1000;
}

/* earlyoom's rule: memory fills at 6000 MiB/s at most, and it looks once to ten times a second. */
static int as_earlyoom(uint64_t headroom_kib) {
    uint64_t ms = headroom_kib / 6000;

    return ms < 100 ? 100 : ms > 1000 ? 1000 : (int)ms;
}

static const WatcherKind kinds[] = {
    { .name = "ours", .arm = memnotify_arm, .disarm = close_event, .events = POLLIN },
    { .name = "driver", .arm = memnotify_arm, .disarm = close_event, .events = POLLIN },
    { .name = "memcg", .arm = memcg_arm, .disarm = close_event, .events = POLLIN },
    { .name = "loop-1s", .sleep_ms = each_second },
    { .name = "loop-adaptive", .sleep_ms = as_earlyoom },
    { .name = "cgroup", .arm = cgroup_arm, .disarm = close_event, .events = POLLIN, .is_of_cgroup = true },
    { .name = "psi", .arm = psi_arm, .disarm = leave_open, .events = POLLPRI, .may_never = true },
};

const WatcherKind *watcher_kind_find(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static void wait_event(Watcher *self) {
    struct pollfd pollfds[] = { { .fd = self->fd, .events = self->kind->events },
                                { .fd = self->orders_fd, .events = POLLIN } };

    if (poll(pollfds, 2, -1) > 0 && (pollfds[0].revents & self->kind->events))
        *self->returned_ns = series_now_ns();
}

static void wait_in_loop(Watcher *self) {
    struct pollfd order = { .fd = self->orders_fd, .events = POLLIN };
    uint64_t used;

    while ((used = used_pages()) < self->limit) {
        uint64_t headroom_kib = (self->limit - used) * sysconf(_SC_PAGESIZE) / 1024;

        if (poll(&order, 1, self->kind->sleep_ms(headroom_kib)) > 0)
            return;
    }
    *self->returned_ns = series_now_ns();
}

static void answer(Watcher *self, bool is_good) {
    if (write(self->answers_fd, &is_good, 1) != 1)
        exit(EXIT_SUCCESS);
}

/* Orders are limits: first the one to wait for, then any, to stop. */
static void run(Watcher *self) {
    bool is_armed;

    while (read(self->orders_fd, &self->limit, sizeof self->limit) == sizeof self->limit) {
        is_armed = !self->kind->arm || self->kind->arm(self) == 0;
        answer(self, is_armed);
        if (is_armed && self->kind->arm)
            wait_event(self);
        else if (is_armed)
            wait_in_loop(self);

        if (read(self->orders_fd, &self->limit, sizeof self->limit) != sizeof self->limit)
            break;
        if (self->kind->disarm)
            self->kind->disarm(self);
        answer(self, true);
    }
}

void watcher_start(Watcher *self, const char *name, const char *argument) {
    int orders[2], answers[2];

    *self = (Watcher){ .kind = watcher_kind_find(name), .argument = argument, .fd = -1 };
    self->returned_ns =
        mmap(NULL, sizeof *self->returned_ns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (self->returned_ns == MAP_FAILED || pipe2(orders, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0 ||
        (self->pid = fork()) < 0)
        fatal("cannot start the watcher '%s'", name);

    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        session_new();
        self->orders_fd = orders[0];
        self->answers_fd = answers[1];
        close(orders[1]);
        run(self);
        _exit(EXIT_SUCCESS);
    }
    close(orders[0]);
    close(answers[1]);
    self->orders_fd = orders[1];
    self->answers_fd = answers[0];
}

static bool order(Watcher *self, uint64_t limit) {
    bool is_good = false;

    if (write(self->orders_fd, &limit, sizeof limit) != sizeof limit || read(self->answers_fd, &is_good, 1) != 1)
        fatal("the watcher '%s' has ended", self->kind->name);
    return is_good;
}

bool watcher_arm(Watcher *self, uint64_t limit) {
    *self->returned_ns = 0;
    return order(self, limit);
}

void watcher_disarm(Watcher *self) {
    order(self, 0);
}

void watcher_stop(Watcher *self) {
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
    close(self->orders_fd);
    close(self->answers_fd);
    munmap(self->returned_ns, sizeof *self->returned_ns);
}
