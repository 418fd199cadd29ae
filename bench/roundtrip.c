/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one system call on a served file costs its client: ours and the floor in turn.
 *
 *   roundtrip read|poll OURS FLOOR BATCHES N
 */
#include "fatal.h"
#include "series.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
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

static void run_batch(Series *series, int fd, void (*call)(int fd)) {
    series_begin(series);
    for (size_t i = 0; i < WARM_UP; i++)
        call(fd);
    for (size_t i = 0; i < series->size; i++) {
        int64_t start_ns = series_now_ns();

        call(fd);
        series_add(series, series_now_ns() - start_ns);
    }
    series_print(series);
}

/* Far away. */
#define LIMITS "used 100%"

int main(int argc, char **argv) {
    static const char *const names[] = { "ours", "floor" };
    Series series[2];
    int fds[2], n_batches;
    bool is_read;

    if (argc != 6) {
        fprintf(stderr, "usage: %s read|poll OURS FLOOR BATCHES N\n", argv[0]);
        return 2;
    }
    is_read = strcmp(argv[1], "read") == 0;
    n_batches = atoi(argv[4]);
    for (int i = 0; i < 2; i++) {
        series_init(&series[i], names[i], atoi(argv[5]));
        fds[i] = open(argv[2 + i], O_RDWR);
        if (fds[i] < 0)
            fatal("cannot open '%s'", argv[2 + i]);
    }
    if (!is_read && write(fds[0], LIMITS, strlen(LIMITS)) < 0) /* before that there is nothing to wait for */
        fatal("cannot set a limit");

    for (int batch = 0; batch < 2 * n_batches; batch++) {
        int which = (batch + batch / 2) % 2; /* ours floor floor ours */

        run_batch(&series[which], fds[which], is_read ? do_read : do_poll);
    }

    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        series_clear(&series[i]);
    }
    return 0;
}
