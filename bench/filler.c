/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that fills up, and the record of when how much of it was full. */
#include "filler.h"

#include "fatal.h"
#include "series.h"
#include "session.h"
#include "used.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define HUGE_BYTES (2 * FILLER_MIB)

/* One page of page tables maps 512 pages; under a huge page one is kept in reserve. */
#define WITH_TABLES(bytes) ((bytes) + (bytes) / 512)

typedef struct Thread {
    pthread_t id;
    Filler *filler;
    FillerProgress *progress;
    pthread_barrier_t *start;
    char *memory;
} Thread;

static uint64_t bytes_per_thread(const Filler *self) {
    return self->bytes_max / self->n_threads;
}

static char *map_memory(const Filler *self) {
    uint64_t size = bytes_per_thread(self);
    char *memory = mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        fatal("cannot map memory to fill");
    memory += HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES;
    if (madvise(memory, size, self->has_huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0)
        fatal("cannot choose the page size");
    return memory;
}

static void *fill(void *data) {
    Thread *self = data;
    const Filler *filler = self->filler;
    unsigned n_chunks = bytes_per_thread(filler) / filler->chunk_bytes;

    pthread_barrier_wait(self->start);
    for (unsigned i = 0; i < n_chunks && !filler->must_stop; i++) {
        char *chunk = self->memory + i * filler->chunk_bytes;

        for (uint64_t at = 0; at < filler->chunk_bytes; at += PAGE_BYTES)
            *(volatile char *)(chunk + at) = 1;
        self->progress->stamps[i].time_ns = series_now_ns();
        self->progress->stamps[i].used_pages = used_pages();
        self->progress->n = i + 1;
    }
    return NULL;
}

static void join_cgroup(const char *cgroup) {
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    file = fopen(path, "w");
    if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) != 0)
        fatal("cannot join '%s'", cgroup);
}

static void await_order(int orders_fd) {
    char order;

    if (read(orders_fd, &order, 1) != 1)
        _exit(EXIT_FAILURE);
}

static void answer(int answers_fd) {
    if (write(answers_fd, "", 1) != 1)
        _exit(EXIT_FAILURE);
}

static void run(Filler *self, int orders_fd, int answers_fd) {
    Thread threads[FILLER_THREADS_MAX];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, self->n_threads + 1);
    for (unsigned i = 0; i < self->n_threads; i++) {
        threads[i] =
            (Thread){ .filler = self, .progress = &self->progress[i], .start = &start, .memory = map_memory(self) };
        errno = pthread_create(&threads[i].id, NULL, fill, &threads[i]);
        if (errno)
            fatal("cannot start a thread");
    }
    answer(answers_fd);

    await_order(orders_fd);
    self->used_before_pages = used_pages();
    self->start_ns = series_now_ns();
    answer(answers_fd);
    pthread_barrier_wait(&start);
    for (unsigned i = 0; i < self->n_threads; i++)
        /* cppcheck-suppress uninitvar ; it was set for each of them above */
        pthread_join(threads[i].id, NULL);
    answer(answers_fd);
    await_order(orders_fd);
}

static void await_answer(Filler *self) {
    char byte;

    if (read(self->answers_fd, &byte, 1) != 1)
        fatal("the filler has ended");
}

static void order(Filler *self) {
    if (write(self->orders_fd, "", 1) != 1)
        fatal("the filler has ended");
}

void filler_start(Filler *self, const char *cgroup) {
    int orders[2], answers[2];

    self->must_stop = false;
    for (unsigned i = 0; i < FILLER_THREADS_MAX; i++)
        self->progress[i].n = 0;

    if (pipe(orders) < 0 || pipe(answers) < 0 || (self->pid = fork()) < 0)
        fatal("cannot start the filler");
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        session_new();
        close(orders[1]);
        close(answers[0]);
        if (cgroup)
            join_cgroup(cgroup);
        run(self, orders[0], answers[1]);
        _exit(EXIT_SUCCESS);
    }
    close(orders[0]);
    close(answers[1]);
    self->orders_fd = orders[1];
    self->answers_fd = answers[0];
    await_answer(self);
}

void filler_go(Filler *self) {
    order(self);
    await_answer(self);
}

void filler_stop(Filler *self) {
    self->must_stop = true;
    await_answer(self);
}

void filler_end(Filler *self) {
    order(self);
    waitpid(self->pid, NULL, 0);
    close(self->orders_fd);
    close(self->answers_fd);
}

uint64_t filler_bytes_at(const Filler *self, int64_t time_ns) {
    uint64_t n = 0;

    for (unsigned i = 0; i < self->n_threads; i++)
        for (unsigned chunk = 0; chunk < self->progress[i].n; chunk++)
            n += self->progress[i].stamps[chunk].time_ns <= time_ns;
    return WITH_TABLES(n * self->chunk_bytes);
}

/* Goes through the stamps of all threads in the order of time: the next one, or NULL. */
static const FillerStamp *next_stamp(const Filler *self, unsigned next[FILLER_THREADS_MAX]) {
    const FillerStamp *earliest = NULL;
    unsigned thread = 0;

    for (unsigned i = 0; i < self->n_threads; i++) {
        const FillerStamp *stamp = &self->progress[i].stamps[next[i]];

        if (next[i] < self->progress[i].n && (!earliest || stamp->time_ns < earliest->time_ns)) {
            earliest = stamp;
            thread = i;
        }
    }
    next[thread]++;
    return earliest;
}

/* When n chunks are full, each of the other threads may be in the middle of one more. */
int64_t filler_time_of_bytes(const Filler *self, uint64_t bytes) {
    unsigned next[FILLER_THREADS_MAX] = { 0 };
    int64_t time_ns = self->start_ns;
    const FillerStamp *stamp;

    for (uint64_t n = 1; (stamp = next_stamp(self, next)); n++) {
        if (WITH_TABLES((n + self->n_threads - 1) * self->chunk_bytes) >= bytes)
            return time_ns;
        time_ns = stamp->time_ns;
    }
    return 0;
}

int64_t filler_time_of_used(const Filler *self, uint64_t pages) {
    unsigned next[FILLER_THREADS_MAX] = { 0 };
    int64_t time_ns = self->start_ns, crossed_ns = 0;
    const FillerStamp *stamp;

    while ((stamp = next_stamp(self, next))) {
        if (stamp->used_pages < pages && crossed_ns > 0)
            return 0;
        if (stamp->used_pages >= pages && crossed_ns == 0)
            crossed_ns = time_ns;
        time_ns = stamp->time_ns;
    }
    return crossed_ns;
}
