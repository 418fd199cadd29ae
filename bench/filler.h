/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FILLER_MIB (UINT64_C(1) << 20)
#define FILLER_THREADS_MAX 2
#define FILLER_STAMPS_MAX 2048

/* A thread has filled one more chunk, and this is what the meter shows. */
typedef struct FillerStamp {
    int64_t time_ns;
    uint64_t used_pages;
} FillerStamp;

typedef struct FillerProgress {
    atomic_uint n;
    FillerStamp stamps[FILLER_STAMPS_MAX];
} FillerProgress;

/* A process that fills memory at full speed; lies in memory shared with it. */
typedef struct Filler {
    bool has_huge_pages;
    unsigned n_threads;
    uint64_t bytes_max;   /* it stops here at the latest: the machine may not be ours alone */
    uint64_t chunk_bytes; /* after so many it puts down a stamp; at least a page */
    atomic_bool must_stop;
    int64_t start_ns;
    uint64_t used_before_pages; /* the meter, right before the first page is touched */
    pid_t pid;
    int orders_fd; /* of who started it */
    int answers_fd;
    FillerProgress progress[FILLER_THREADS_MAX];
} Filler;

/* Forks the process, in the memory cgroup at `cgroup` unless that is NULL. It then waits. */
void filler_start(Filler *self, const char *cgroup);

/* Reads the meter and lets the threads run. */
void filler_go(Filler *self);

/* Stops the threads. The memory stays filled. */
void filler_stop(Filler *self);

/* Ends the process and waits until its memory is free. */
void filler_end(Filler *self);

/* How much was filled at that moment, with the page tables that this takes. */
uint64_t filler_bytes_at(const Filler *self, int64_t time_ns);

/* When so many bytes were filled; 0 for never. Never too late, too early by a chunk of each thread at
 * most. */
int64_t filler_time_of_bytes(const Filler *self, uint64_t bytes);

/* When the meter rose to so many pages; 0 for never, and when it was below again later, because others
 * have freed memory. Never too late, too early by a chunk at most. */
int64_t filler_time_of_used(const Filler *self, uint64_t pages);
