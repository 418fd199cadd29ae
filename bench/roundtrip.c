/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one question costs its client: ours and the floor in turn.
 *
 *   roundtrip read|poll FILE FLOOR-FILE BATCHES N     one system call on a served file
 *   roundtrip ask MOUNT FLOOR-MOUNT BATCHES N         `read` through the socket; and, as the series "file", read() of
 *                                                     memnotify in MOUNT
 */
#include "client.h"
#include "fatal.h"
#include "series.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_UP 20

/* As a poller would: a fresh text each time, into a buffer that is not much larger. */
static void do_read(int fd) {
    char buffer[128];

    if (pread(fd, buffer, sizeof buffer, 0) <= 0)
        fatal("cannot read");
}

static void do_poll(int fd) {
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    if (poll(&pollfd, 1, 0) < 0 || pollfd.revents != 0)
        fatal("poll gives an event where there is none");
}

static void do_ask(int fd) {
    client_ask(fd, "read\n");
}

typedef struct Way {
    Series series;
    void (*call)(int fd);
    int fd;
} Way;

static void way_init(Way *self, const char *name, int n, void (*call)(int fd), int fd) {
    series_init(&self->series, name, n);
    self->call = call;
    self->fd = fd;
}

static void run_batch(Way *way) {
    Series *series = &way->series;

    series_begin(series);
    for (size_t i = 0; i < WARM_UP; i++)
        way->call(way->fd);
    for (size_t i = 0; i < series->size; i++) {
        int64_t start_ns = series_now_ns();

        way->call(way->fd);
        series_add(series, series_now_ns() - start_ns);
    }
    series_print(series);
}

static int open_file(const char *path) {
    int fd = open(path, O_RDWR);

    if (fd < 0)
        fatal("cannot open '%s'", path);
    return fd;
}

/* Far away. */
#define LIMITS "used 100%"

/* Before there is a limit there is nothing to wait for. */
static int open_with_limit(const char *path) {
    int fd = open_file(path);

    if (write(fd, LIMITS, strlen(LIMITS)) < 0)
        fatal("cannot set a limit");
    return fd;
}

/* How many. */
static int make_ways(Way *ways, const char *mode, const char *ours, const char *floor, int n) {
    char path[PATH_MAX];

    if (strcmp(mode, "ask") == 0) {
        snprintf(path, sizeof path, "%s/memnotify", ours);
        way_init(&ways[0], "ours", n, do_ask, client_connect(ours));
        way_init(&ways[1], "floor", n, do_ask, client_connect(floor));
        way_init(&ways[2], "file", n, do_read, open_file(path));
        return 3;
    }
    if (strcmp(mode, "poll") == 0) {
        way_init(&ways[0], "ours", n, do_poll, open_with_limit(ours));
        way_init(&ways[1], "floor", n, do_poll, open_file(floor));
    } else {
        way_init(&ways[0], "ours", n, do_read, open_file(ours));
        way_init(&ways[1], "floor", n, do_read, open_file(floor));
    }
    return 2;
}

int main(int argc, char **argv) {
    Way ways[3];
    int n_ways;

    if (argc != 6) {
        fprintf(stderr, "usage: %s read|poll|ask OURS FLOOR BATCHES N\n", argv[0]);
        return 2;
    }
    n_ways = make_ways(ways, argv[1], argv[2], argv[3], atoi(argv[5]));

    for (int batch = 0; batch < atoi(argv[4]); batch++)
        for (int i = 0; i < n_ways; i++) /* forwards and backwards in turn */
            run_batch(&ways[batch % 2 ? n_ways - 1 - i : i]);

    for (int i = 0; i < n_ways; i++) {
        close(ways[i].fd);
        series_clear(&ways[i].series);
    }
    return 0;
}
