/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the moment at which CLIENTS eventfds are to be signalled until the last of them has been read
 * by the one process that waits for all; in batches of N, for each of crosser.h in turn.
 *
 *   eventfd memcg|socket MOUNT CLIENTS BATCHES N SIGNALLER-CPU [GROUP...]
 *
 * The clock of each starts before one write(2) to another process, which then writes to simulate in
 * MOUNT, or to all of the eventfds, or touches memory. Those that simulate concerns are registered in memcg/ of MOUNT, or
 * come from its socket. Without groups the last is left out. */
#include "crosser.h"
#include "fatal.h"
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 512

/* The waiter has been woken for the last time; this long after that the next round begins. */
#define SETTLE_US 300

enum {
    RUN_BATCH = 'b',
    STOP = 's'
};

/* The process that waits for the eventfds of one crosser. */
typedef struct Waiter {
    const Crosser *crosser;
    pid_t pid;
    int orders_fd;
    int answers_fd;
} Waiter;

static void allow_many_files(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int make_eventfds(const Crosser *crosser, Eventfds *all) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    all->fds = calloc(all->n, sizeof *all->fds);
    if (!all->fds)
        fatal("cannot allocate %d numbers", all->n);
    for (int i = 0; i < all->n; i++) {
        struct epoll_event event = { .events = EPOLLIN };

        event.data.fd = all->fds[i] = crosser->make ? crosser->make() : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event.data.fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
            fatal("cannot make eventfd %d", i);
    }
    return epoll_fd;
}

/* Reads until all have had their event. */
static void take_all(const Eventfds *all, int epoll_fd) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int left = all->n;

    while (left > 0) {
        int n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, -1);

        if (n < 0)
            fatal("epoll_wait failed");
        for (int i = 0; i < n; i++) {
            eventfd_t count;

            if (eventfd_read(events[i].data.fd, &count) < 0 || count != 1)
                fatal("an eventfd without its one event");
        }
        left -= n;
    }
}

static void answer(int answers_fd) {
    if (write(answers_fd, "", 1) != 1)
        exit(EXIT_FAILURE);
}

static void wait_for_all(const Crosser *crosser, Eventfds *all, int n_rounds, int orders, int answers) {
    Series series;
    int epoll_fd;
    int64_t start_ns;
    char order;

    series_init(&series, crosser->name, n_rounds);
    if (crosser->start)
        crosser->start(all);
    start_ns = series_now_ns();
    epoll_fd = make_eventfds(crosser, all);
    if (crosser->introduce)
        crosser->introduce(all);
    printf("introduce-%s %" PRId64 "\n", crosser->name, series_now_ns() - start_ns);
    fflush(stdout);
    answer(answers);

    while (read(orders, &order, 1) == 1 && order == RUN_BATCH) {
        series_begin(&series);
        for (int i = 0; i < n_rounds; i++) {
            usleep(SETTLE_US);
            start_ns = series_now_ns();
            crosser->cross();
            take_all(all, epoll_fd);
            series_add(&series, series_now_ns() - start_ns);
        }
        series_print(&series);
        answer(answers);
    }

    if (crosser->give_back)
        crosser->give_back(all);
    series_clear(&series);
}

static void waiter_start(Waiter *self, const Crosser *crosser, Eventfds *all, int n_rounds) {
    int orders[2], answers[2];

    self->crosser = crosser;
    if (pipe2(orders, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0 || (self->pid = fork()) < 0)
        fatal("cannot start the waiter for '%s'", crosser->name);
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(orders[1]);
        close(answers[0]);
        wait_for_all(crosser, all, n_rounds, orders[0], answers[1]);
        exit(EXIT_SUCCESS);
    }
    close(orders[0]);
    close(answers[1]);
    self->orders_fd = orders[1];
    self->answers_fd = answers[0];
}

static void waiter_await(const Waiter *self) {
    char byte;

    errno = ECHILD;
    if (read(self->answers_fd, &byte, 1) != 1)
        fatal("the waiter for '%s' has ended", self->crosser->name);
}

static void waiter_order(const Waiter *self, char order) {
    if (write(self->orders_fd, &order, 1) != 1)
        fatal("the waiter for '%s' has ended", self->crosser->name);
}

static void waiter_run_batch(const Waiter *self) {
    waiter_order(self, RUN_BATCH);
    waiter_await(self);
}

static void waiter_stop(Waiter *self) {
    int status;

    waiter_order(self, STOP);
    errno = ECHILD;
    if (waitpid(self->pid, &status, 0) < 0 || status != 0)
        fatal("the waiter for '%s' has failed", self->crosser->name);
    close(self->orders_fd);
    close(self->answers_fd);
}

int main(int argc, char **argv) {
    const Crosser *crossers[] = { &crosser_ours, &crosser_writes, &crosser_kernel };
    Waiter waiters[sizeof crossers / sizeof crossers[0]];
    int n_waiters;
    Eventfds all = { 0 };

    if (argc < 7) {
        fprintf(stderr, "usage: %s memcg|socket MOUNT CLIENTS BATCHES N SIGNALLER-CPU [GROUP...]\n", argv[0]);
        return 2;
    }
    if (strcmp(argv[1], "socket") == 0)
        crossers[0] = &crosser_socket;
    all.mount = argv[2];
    all.n = atoi(argv[3]);
    all.signaller_cpu = atoi(argv[6]);
    all.groups = argv + 7;
    all.n_groups = argc - 7;
    n_waiters = all.n_groups > 0 ? 3 : 2;
    allow_many_files();

    for (int i = 0; i < n_waiters; i++)
        waiter_start(&waiters[i], crossers[i], &all, atoi(argv[5]));
    for (int i = 0; i < n_waiters; i++)
        waiter_await(&waiters[i]);
    for (int batch = 0; batch < atoi(argv[4]); batch++)
        for (int i = 0; i < n_waiters; i++) /* forwards and backwards in turn */
            waiter_run_batch(&waiters[batch % 2 ? n_waiters - 1 - i : i]);
    for (int i = 0; i < n_waiters; i++)
        waiter_stop(&waiters[i]);
    return 0;
}
