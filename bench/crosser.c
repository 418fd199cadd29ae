/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways to signal many eventfds at once: our daemon's two, the plainest, and the kernel's.
 *
 * A threshold costs the kernel a grace period of RCU, 10 to 20 ms, with a lock of its cgroup held, when
 * it is registered and again when its eventfd is closed. So a part of them is registered with each of
 * several groups, one below the other, by processes beside each other that share the grace periods. One
 * charge is checked against the thresholds of its group and of all above, at the same moment. */
#include "crosser.h"

#include "client.h"
#include "fatal.h"
#include "series.h"
#include "session.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOW_PAGES 100000
#define HIGH_PAGES 300000
#define THRESHOLD_PAGES 200000

/* The kernel checks after 128 pages were charged by a CPU, and a huge page is charged at once: so the
 * first of these crosses, and where there are none, one small page among 256. */
#define PAGE_BYTES 4096
#define HUGE_BYTES (UINT64_C(2) << 20)
#define TOUCHED_BYTES (2 * HUGE_BYTES)
#define ROOM_BYTES (HUGE_BYTES / 2)

static int open_in(const char *directory, const char *name, int flags) {
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

/* Registers every step-th eventfd, beginning with the first-th, in a directory as that of a memory
 * cgroup. */
static void register_in(const Eventfds *all, const char *directory, int first, int step, uint64_t bytes) {
    int usage_fd = open_in(directory, "memory.usage_in_bytes", O_RDONLY);
    int control_fd = open_in(directory, "cgroup.event_control", O_WRONLY);

    for (int i = first; i < all->n; i += step) {
        char line[64];
        int len = snprintf(line, sizeof line, "%d %d %" PRIu64, all->fds[i], usage_fd, bytes);

        if (write(control_fd, line, len) != len)
            fatal("cannot register eventfd %d", i);
    }
    close(control_fd);
    close(usage_fd);
}

/* ---- a process that signals at an order */

static int orders_fd;

static void order(void) {
    if (write(orders_fd, "", 1) != 1)
        fatal("the signaller has ended");
}

/* A program of its own, as the daemon is, and on the same CPU. */
static void start_signaller(const Eventfds *all, void (*run)(const Eventfds *all, int orders_fd)) {
    int fds[2];
    pid_t pid;
    cpu_set_t cpus;

    if (pipe(fds) < 0 || (pid = fork()) < 0)
        fatal("cannot start the signaller");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        session_new();
        CPU_ZERO(&cpus);
        CPU_SET(all->signaller_cpu, &cpus);
        if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
            fatal("cannot run on CPU %d", all->signaller_cpu);
        close(fds[1]);
        run(all, fds[0]);
        _exit(EXIT_SUCCESS);
    }
    close(fds[0]);
    orders_fd = fds[1];
}

/* ---- ours */

static int simulate_fd;

static void simulate(int pages) {
    char text[64];
    int len = snprintf(text, sizeof text, "anon %d file 0", pages);

    if (pwrite(simulate_fd, text, len, 0) != len)
        fatal("cannot simulate");
}

/* Whoever writes waits until the daemon has signalled all, so it must not be the one who is waiting for
 * the signals. */
static void simulate_in_turn(const Eventfds *all __attribute__((unused)), int fd) {
    bool is_high = false;
    char byte;

    while (read(fd, &byte, 1) == 1) {
        is_high = !is_high;
        simulate(is_high ? HIGH_PAGES : LOW_PAGES);
    }
}

static void ours_start(const Eventfds *all) {
    simulate_fd = open_in(all->mount, "simulate", O_WRONLY);
    simulate(LOW_PAGES);
    start_signaller(all, simulate_in_turn);
}

static void ours_introduce(const Eventfds *all) {
    char directory[PATH_MAX];

    snprintf(directory, sizeof directory, "%s/memcg", all->mount);
    register_in(all, directory, 0, 1, THRESHOLD_PAGES * sysconf(_SC_PAGESIZE));
}

const Crosser crosser_ours = { .name = "ours", .start = ours_start, .introduce = ours_introduce, .cross = order };

static int connection_fd;

static void socket_start(const Eventfds *all) {
    ours_start(all);
    connection_fd = client_connect(all->mount);
}

static int socket_make(void) {
    char request[64];

    snprintf(request, sizeof request, "eventfd anon %d\n", THRESHOLD_PAGES);
    return client_ask_for_fd(connection_fd, request);
}

const Crosser crosser_socket = { .name = "socket", .start = socket_start, .make = socket_make, .cross = order };

/* ---- plain writes */

static void write_all(const Eventfds *all, int fd) {
    char byte;

    while (read(fd, &byte, 1) == 1)
        for (int i = 0; i < all->n; i++)
            if (eventfd_write(all->fds[i], 1) < 0)
                fatal("cannot write to an eventfd");
}

static void writes_introduce(const Eventfds *all) {
    start_signaller(all, write_all);
}

const Crosser crosser_writes = { .name = "writes", .introduce = writes_introduce, .cross = order };

/* ---- the kernel's */

static int is_touched_fd;

static void join_group(const char *group) {
    int fd = open_in(group, "cgroup.procs", O_WRONLY);

    if (write(fd, "0", 1) != 1)
        fatal("cannot join '%s'", group);
    close(fd);
}

static char *map_memory(void) {
    char *memory = mmap(NULL, TOUCHED_BYTES + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        fatal("cannot map memory");
    memory += HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES;
    madvise(memory, TOUCHED_BYTES, MADV_HUGEPAGE);
    return memory;
}

static void touch(char *memory) {
    for (uint64_t at = 0; at < TOUCHED_BYTES; at += PAGE_BYTES)
        *(volatile char *)(memory + at) = 1;
}

static void give_away(char *memory) {
    if (madvise(memory, TOUCHED_BYTES, MADV_DONTNEED) < 0)
        fatal("cannot give memory back");
}

/* Touches the memory and gives it back in turn; once beforehand, since page tables are charged too. */
static void hold_memory(const Eventfds *all, int fd) {
    char *memory, byte;
    bool is_touched = false;

    join_group(all->groups[0]);
    memory = map_memory();
    touch(memory);
    give_away(memory);
    if (eventfd_write(is_touched_fd, 1) < 0)
        fatal("cannot write to an eventfd");

    while (read(fd, &byte, 1) == 1) {
        is_touched = !is_touched;
        if (is_touched)
            touch(memory);
        else
            give_away(memory);
    }
}

/* The process must not inherit the eventfds, whose registrations last until the last copy is closed. */
static void kernel_start(const Eventfds *all) {
    eventfd_t count;

    is_touched_fd = eventfd(0, EFD_CLOEXEC);
    start_signaller(all, hold_memory);
    if (eventfd_read(is_touched_fd, &count) < 0)
        fatal("cannot read an eventfd");
}

static uint64_t read_usage(const char *group) {
    int fd = open_in(group, "memory.usage_in_bytes", O_RDONLY);
    char text[32] = "";

    if (read(fd, text, sizeof text - 1) <= 0)
        fatal("cannot read the usage of '%s'", group);
    close(fd);
    return strtoull(text, NULL, 10);
}

/* How long it takes to register one with each group. */
static int64_t step_ns;

static void kernel_introduce(const Eventfds *all) {
    int64_t start_ns = series_now_ns();
    int status;

    for (int i = 0; i < all->n_groups; i++) {
        pid_t pid = fork();

        if (pid < 0)
            fatal("cannot start a process");
        if (pid == 0) {
            const char *group = all->groups[i];

            prctl(PR_SET_PDEATHSIG, SIGKILL);
            register_in(all, group, i, all->n_groups, read_usage(group) + ROOM_BYTES);
            _exit(EXIT_SUCCESS);
        }
    }
    /* The signaller is a child too, but does not end. */
    for (int i = 0; i < all->n_groups; i++)
        if (wait(&status) < 0 || status != 0)
            fatal("not all eventfds are registered");
    step_ns = (series_now_ns() - start_ns) / (1 + all->n / all->n_groups);
}

/* Each that is closed occupies a thread of the kernel until it is unregistered, which takes as long as
 * to register it; so they are not closed at once, or there would be a thousand such threads. */
static void kernel_give_back(const Eventfds *all) {
    for (int i = 0; i < all->n; i++) {
        close(all->fds[i]);
        if (i % all->n_groups == 0)
            usleep(step_ns * 5 / 4 / 1000);
    }
}

const Crosser crosser_kernel = { .name = "kernel",
                                 .start = kernel_start,
                                 .introduce = kernel_introduce,
                                 .cross = order,
                                 .give_back = kernel_give_back };
