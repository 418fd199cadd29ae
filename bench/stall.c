/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long allocations of a program wait while its memory is given back: stall MIB THREADS. Each thread has its part of
 * a heap that is full of holes, and allocates and frees as fast as it can. For each line on standard input it prints the
 * longest that one malloc and free have taken since the line before, in ns, and how many there were; it ends with its
 * standard input. */
#include "fatal.h"
#include "series.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MEAN_BYTES 700
#define KEPT_ONE_IN 50
#define THREADS_MAX 16
#define HELD_MAX (1U << 20) /* 700 MiB */

typedef struct Worker {
    pthread_t thread;
    unsigned random;
    size_t n;
    char *held[HELD_MAX];
    atomic_bool is_filled;
    _Atomic int64_t longest_ns;
    atomic_ullong n_done;
} Worker;

static Worker workers[THREADS_MAX];

static unsigned next_random(Worker *self) {
    self->random = self->random * 1664525 + 1013904223;
    return self->random >> 8;
}

static void allocate(Worker *self, size_t i) {
    self->held[i] = malloc(16 + next_random(self) % (2 * MEAN_BYTES));
    if (!self->held[i])
        fatal("cannot allocate");
    self->held[i][0] = 1;
}

static void fill(Worker *self) {
    for (size_t i = 0; i < self->n; i++)
        allocate(self, i);
    for (size_t i = 0; i < self->n; i++)
        if (next_random(self) % KEPT_ONE_IN) {
            free(self->held[i]);
            self->held[i] = NULL;
        }
}

/* How long it took, in ns. */
static int64_t replace(Worker *self, size_t i) {
    int64_t start = series_now_ns();

    free(self->held[i]);
    allocate(self, i);
    return series_now_ns() - start;
}

static void *work(void *data) {
    Worker *self = data;

    fill(self);
    self->is_filled = true;
    for (;;) {
        int64_t took = replace(self, next_random(self) % self->n / KEPT_ONE_IN);

        if (took > self->longest_ns)
            self->longest_ns = took;
        self->n_done++;
    }
    return NULL;
}

static void report(int n_threads) {
    unsigned long long n_done = 0;
    int64_t longest_ns = 0;

    for (int i = 0; i < n_threads; i++) {
        int64_t its_ns = atomic_exchange(&workers[i].longest_ns, 0);

        longest_ns = its_ns > longest_ns ? its_ns : longest_ns;
        n_done += atomic_exchange(&workers[i].n_done, 0);
    }
    printf("stall %lld %llu\n", (long long)longest_ns, n_done);
    fflush(stdout);
}

int main(int argc, char **argv) {
    int n_threads = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    char line[16];

    if (n_threads < 1 || n_threads > THREADS_MAX)
        fatal("usage: stall MIB THREADS");
    for (int i = 0; i < n_threads; i++) {
        workers[i].random = (unsigned)i + 1;
        workers[i].n = ((size_t)strtol(argv[1], NULL, 10) << 20) / MEAN_BYTES / (size_t)n_threads;
        if (workers[i].n > HELD_MAX)
            fatal("cannot hold so much");
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            fatal("cannot start a thread");
    }
    while (fgets(line, sizeof line, stdin)) {
        for (int i = 0; i < n_threads; i++)
            while (!workers[i].is_filled)
                ;
        report(n_threads);
    }
    exit(0);
}
