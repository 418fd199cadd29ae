/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a write to the control file to the return of poll or epoll_wait in another process, for targets in turn.
 *
 *   wake one   BATCHES N KIND=MOUNT...        one client: until its poll returns
 *   wake all   BATCHES N KIND=MOUNT...        CLIENTS of them: until the last is reported
 *   wake among BATCHES N KIND=MOUNT...        CLIENTS of them, of which the write concerns one
 *
 * In "among" a client must hear of its own crossing and nobody else may: the numbers of events are
 * printed as the series "KIND-woken". What kinds there are says target.h. */
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
#define TARGETS_MAX 4

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
    char woken_name[32];
    Series delays;
    Series woken;
    unsigned next;
} Waiter;

static void wait_poll(const Target *target, int fd, Answer *ret) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    if (poll(&pollfd, 1, -1) != 1 || pollfd.revents != POLLIN)
        fatal("poll failed");
    *ret = (Answer){ .returned_ns = series_now_ns(), .n_events = 1 };
    target->kind->take(fd);
}

/* Until `wanted` events have come, and some time more when they are fewer than the clients. */
static void wait_epoll(const Target *target, int epoll_fd, int64_t wanted, Answer *ret) {
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
            target->kind->take(events[i].data.fd);
        if (n == 0 || ret->n_events == CLIENTS)
            return;
    }
}

static int open_clients(const Target *target, int *fds) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; i < CLIENTS; i++) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLET };

        event.data.fd = fds[i] = target->kind->open_client(target, i);
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
        one_fd = target->kind->open_client(target, 0);
    else
        epoll_fd = open_clients(target, fds);

    for (;;) {
        if (write(answers_fd, &answer, sizeof answer) != sizeof answer)
            exit(0);
        if (one_fd >= 0) {
            wait_poll(target, one_fd, &answer);
        } else if (strcmp(mode, "all") == 0) {
            wait_epoll(target, epoll_fd, CLIENTS, &answer);
            for (unsigned i = 0; i < CLIENTS; i++)
                target->kind->take(fds[i]);
        } else {
            wait_epoll(target, epoll_fd, 1, &answer);
        }
    }
}

static Answer take_answer(Waiter *self) {
    Answer answer;

    if (read(self->answers_fd, &answer, sizeof answer) != sizeof answer)
        fatal("the waiter for '%s' has ended", self->target.kind->name);
    return answer;
}

static void waiter_start(Waiter *self, const char *mode, size_t n) {
    int fds[2];

    series_init(&self->delays, self->target.kind->name, n);
    snprintf(self->woken_name, sizeof self->woken_name, "%s-woken", self->target.kind->name);
    series_init(&self->woken, self->woken_name, n);
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
            self->target.kind->raise_one(&self->target, self->next++);
        else
            self->target.kind->raise_all(&self->target);
        answer = take_answer(self);
        series_add(&self->delays, answer.returned_ns - start_ns);
        series_add(&self->woken, answer.n_events);
    }
    series_print(&self->delays);
    series_print(&self->woken);
}

/* "KIND=MOUNT" */
static void open_target(char *argument, Target *ret) {
    char *mount = strchr(argument, '=');

    if (!mount)
        fatal("'%s' is no target", argument);
    *mount = '\0';
    target_open(ret, argument, mount + 1);
}

int main(int argc, char **argv) {
    Waiter waiters[TARGETS_MAX] = { 0 };
    int n_waiters = argc - 4;

    if (n_waiters < 1 || n_waiters > TARGETS_MAX) {
        fprintf(stderr, "usage: %s one|all|among BATCHES N KIND=MOUNT...\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < n_waiters; i++)
        open_target(argv[4 + i], &waiters[i].target);
    for (int i = 0; i < n_waiters; i++)
        waiter_start(&waiters[i], argv[1], atoi(argv[3]));

    for (int batch = 0; batch < atoi(argv[2]); batch++)
        for (int i = 0; i < n_waiters; i++) /* forwards and backwards in turn */
            run_batch(&waiters[batch % 2 ? n_waiters - 1 - i : i], argv[1]);

    for (int i = 0; i < n_waiters; i++)
        waiter_stop(&waiters[i]);
    return 0;
}
