/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a write that makes CLIENTS usage thresholds be crossed at once, in memcg/ of a simulated
 * mount, until the last of their eventfds has been read; and from a write to another process
 * until that has written to as many eventfds, in turn.
 *   eventfd MOUNT CLIENTS BATCHES N */
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
#define LOW_PAGES 100000
#define HIGH_PAGES 300000
#define THRESHOLD_PAGES 200000

/* The waiter has been woken for the last time; this long after that the next round begins. */
#define SETTLE_US 300

static int *eventfds;
static int n_clients;

static int open_below(const char *mount, const char *name, int flags) {
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/%s", mount, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

static int make_eventfds(void) {
    struct rlimit limit;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    eventfds = calloc(n_clients, sizeof *eventfds);
    for (int i = 0; i < n_clients; i++) {
        struct epoll_event event = { .events = EPOLLIN };

        event.data.fd = eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (eventfds[i] < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, eventfds[i], &event) < 0)
            fatal("cannot make eventfd %d", i);
    }
    return epoll_fd;
}

static void register_all(const char *mount) {
    int usage_fd = open_below(mount, "memcg/memory.usage_in_bytes", O_RDONLY);
    int control_fd = open_below(mount, "memcg/cgroup.event_control", O_WRONLY);
    int64_t start_ns = series_now_ns();

    for (int i = 0; i < n_clients; i++) {
        char line[64];
        int len = snprintf(line, sizeof line, "%d %d %ld", eventfds[i], usage_fd,
                           THRESHOLD_PAGES * sysconf(_SC_PAGESIZE));

        if (write(control_fd, line, len) != len)
            fatal("cannot register eventfd %d", i);
    }
    printf("register %" PRId64 "\n", (series_now_ns() - start_ns) / n_clients);
    close(control_fd);
    close(usage_fd);
}

static void write_all(int orders_fd) {
    char order;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(orders_fd, &order, 1) == 1)
        for (int i = 0; i < n_clients; i++)
            if (eventfd_write(eventfds[i], 1) < 0)
                fatal("cannot write to an eventfd");
    exit(0);
}

static pid_t start_writer(int *ret_orders_fd) {
    int fds[2];
    pid_t pid;

    if (pipe(fds) < 0 || (pid = fork()) < 0)
        fatal("cannot start the writer");
    if (pid == 0) {
        close(fds[1]);
        write_all(fds[0]);
    }
    close(fds[0]);
    *ret_orders_fd = fds[1];
    return pid;
}

static void raise_usage(int simulate_fd, int is_high) {
    char text[64];
    int len = snprintf(text, sizeof text, "anon %d file 0", is_high ? HIGH_PAGES : LOW_PAGES);

    if (pwrite(simulate_fd, text, len, 0) != len)
        fatal("cannot simulate");
}

/* Reads until all have had their event. */
static void take_all(int epoll_fd) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int left = n_clients;

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

int main(int argc, char **argv) {
    Series ours, writes;
    int epoll_fd, simulate_fd, orders_fd, is_high = 0, n_rounds;
    pid_t writer;

    if (argc != 5) {
        fprintf(stderr, "usage: %s MOUNT CLIENTS BATCHES N\n", argv[0]);
        return 2;
    }
    n_clients = atoi(argv[2]);
    n_rounds = atoi(argv[4]);
    series_init(&ours, "ours", n_rounds);
    series_init(&writes, "writes", n_rounds);

    epoll_fd = make_eventfds();
    simulate_fd = open_below(argv[1], "simulate", O_WRONLY);
    raise_usage(simulate_fd, is_high);
    register_all(argv[1]);
    writer = start_writer(&orders_fd);

    for (int batch = 0; batch < 2 * atoi(argv[3]); batch++) {
        int is_ours = (batch + batch / 2) % 2 == 0; /* ours writes writes ours */
        Series *series = is_ours ? &ours : &writes;

        series_begin(series);
        for (int i = 0; i < n_rounds; i++) {
            int64_t start_ns;

            usleep(SETTLE_US);
            start_ns = series_now_ns();
            if (is_ours)
                raise_usage(simulate_fd, is_high = !is_high);
            else if (write(orders_fd, "", 1) != 1)
                fatal("the writer has ended");
            take_all(epoll_fd);
            series_add(series, series_now_ns() - start_ns);
        }
        series_print(series);
    }

    close(orders_fd);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    series_clear(&ours);
    series_clear(&writes);
    return 0;
}
