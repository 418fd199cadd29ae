/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a write to the control file to the return of poll or epoll_wait in another process, for ours
 * and the floor in turn.
 *
 *   wake one   OURS FLOOR BATCHES N        one client: until its poll returns
 *   wake all   OURS FLOOR BATCHES N        CLIENTS open files: until the last of them is reported
 *   wake among OURS FLOOR BATCHES N        CLIENTS open files, of which the write concerns one
 *
 * In "among" a client must hear of its own crossing and nobody else may: the numbers of events are
 * printed as the series "ours-woken" and "floor-woken". */
#include "fatal.h"
#include "series.h"
#include "target.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 10000

/* The waiter has said that it is about to wait; this long after that it does. */
#define SETTLE_US 300
/* How long an event that should not be there may take to come. */
#define EXTRA_MS 20

typedef struct Answer {
    int64_t returned_ns;
    int64_t n_events;
} Answer;

/* A process that waits for the clients of one target. */
typedef struct Waiter {
    Target target;
    pid_t pid;
    int answers_fd; /* an Answer each time it is about to wait: the one of the wait before */
    Series delays;
    Series woken;
    unsigned next;
} Waiter;

static void read_client(int fd) {
    char buffer[128];

    if (pread(fd, buffer, sizeof buffer, 0) < 0)
        fatal("cannot read");
}

static void wait_poll(int fd, Answer *ret) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    if (poll(&pollfd, 1, -1) != 1 || pollfd.revents != POLLIN)
        fatal("poll failed");
    *ret = (Answer){ .returned_ns = series_now_ns(), .n_events = 1 };
    read_client(fd);
}

/* Until `wanted` events have come, and some time more when they are fewer than the clients. */
static void wait_epoll(int epoll_fd, int64_t wanted, Answer *ret) {
    static struct epoll_event events[CLIENTS];
    int n;

    *ret = (Answer){ 0 };
    for (;;) {
        n = epoll_wait(epoll_fd, events, CLIENTS, ret->n_events < wanted ? -1 : EXTRA_MS);
        if (n < 0)
            fatal("epoll_wait failed");
        if (ret->n_events < wanted)
            ret->returned_ns = series_now_ns();
        ret->n_events += n;
        for (int i = 0; i < n && wanted < CLIENTS; i++)
            read_client(events[i].data.fd);
        if (n == 0 || ret->n_events == CLIENTS)
            return;
    }
}

static int open_clients(const Target *target, int *fds) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; i < CLIENTS; i++) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLET };

        event.data.fd = fds[i] = target->open_client(target, i);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
            fatal("cannot wait for a client");
    }
    return epoll_fd;
}

static void wait_for_ever(const Target *target, const char *mode, int answers_fd) {
    static int fds[CLIENTS];
    Answer answer = { 0 };
    int one_fd = -1, epoll_fd = -1;

    if (strcmp(mode, "one") == 0)
        one_fd = target->open_client(target, 0);
    else
        epoll_fd = open_clients(target, fds);

    for (;;) {
        if (write(answers_fd, &answer, sizeof answer) != sizeof answer)
            exit(0);
        if (one_fd >= 0) {
            wait_poll(one_fd, &answer);
        } else if (strcmp(mode, "all") == 0) {
            wait_epoll(epoll_fd, CLIENTS, &answer);
            for (unsigned i = 0; i < CLIENTS; i++)
                read_client(fds[i]);
        } else {
            wait_epoll(epoll_fd, 1, &answer);
        }
    }
}

static Answer take_answer(Waiter *self) {
    Answer answer;

    if (read(self->answers_fd, &answer, sizeof answer) != sizeof answer)
        fatal("the waiter for '%s' has ended", self->target.name);
    return answer;
}

static void waiter_start(Waiter *self, const char *mode, size_t n) {
    int fds[2];

    series_init(&self->delays, self->target.name, n);
    series_init(&self->woken, strcmp(self->target.name, "ours") == 0 ? "ours-woken" : "floor-woken", n);
    if (pipe(fds) < 0 || (self->pid = fork()) < 0)
        fatal("cannot start a waiter");
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        wait_for_ever(&self->target, mode, fds[1]);
    }
    close(fds[1]);
    self->answers_fd = fds[0];
    take_answer(self);
}

static void waiter_stop(Waiter *self) {
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
    close(self->answers_fd);
    series_clear(&self->delays);
    series_clear(&self->woken);
    target_close(&self->target);
}

static void run_batch(Waiter *self, const char *mode) {
    series_begin(&self->delays);
    series_begin(&self->woken);
    for (size_t i = 0; i < self->delays.size; i++) {
        int64_t start_ns;
        Answer answer;

        usleep(SETTLE_US);
        start_ns = series_now_ns();
        if (strcmp(mode, "among") == 0)
            self->target.raise_one(&self->target, self->next++);
        else
            self->target.raise_all(&self->target);
        answer = take_answer(self);
        series_add(&self->delays, answer.returned_ns - start_ns);
        series_add(&self->woken, answer.n_events);
    }
    series_print(&self->delays);
    series_print(&self->woken);
}

int main(int argc, char **argv) {
    Waiter waiters[2] = { 0 };
    int n_batches;

    if (argc != 6) {
        fprintf(stderr, "usage: %s one|all|among OURS FLOOR BATCHES N\n", argv[0]);
        return 2;
    }
    n_batches = atoi(argv[4]);
    target_open_ours(&waiters[0].target, argv[2]);
    target_open_bare(&waiters[1].target, argv[3]);
    for (int i = 0; i < 2; i++)
        waiter_start(&waiters[i], argv[1], atoi(argv[5]));

    for (int batch = 0; batch < 2 * n_batches; batch++)
        run_batch(&waiters[(batch + batch / 2) % 2], argv[1]); /* ours floor floor ours */

    for (int i = 0; i < 2; i++)
        waiter_stop(&waiters[i]);
    return 0;
}
