/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A process that wants to know when memory has grown beyond a limit, in one of several ways. */
typedef struct Watcher Watcher;

typedef struct WatcherKind {
    const char *name;
    /* Makes a descriptor that reports when the limit is reached: 0 or -1. NULL for a loop. */
    int (*arm)(Watcher *self);
    void (*disarm)(Watcher *self);
    /* A loop: how long to sleep before the next look. */
    int (*sleep_ms)(uint64_t headroom_kib);
    short events;
    bool is_of_cgroup; /* its limit is one of the filler's own usage */
    bool may_never;    /* it waits for something else than a limit: do not wait for it */
} WatcherKind;

struct Watcher {
    const WatcherKind *kind;
    const char *argument; /* mount point, cgroup or file */
    pid_t pid;
    int orders_fd;
    int answers_fd;
    uint64_t limit; /* pages of the meter, bytes of a cgroup */
    int fd;
    int64_t *returned_ns; /* shared: when it knew; 0 before */
};

/* The ways: "ours", "driver" (another mount), "memcg" (memcg/ in a mount), "loop-1s", "loop-adaptive",
 * "cgroup" (v1), "psi" (of a file, or the machine's). */
const WatcherKind *watcher_kind_find(const char *name);

/* Forks the process. */
void watcher_start(Watcher *self, const char *name, const char *argument);

/* Lets it wait for a limit. Returns when it does; false when it cannot. */
bool watcher_arm(Watcher *self, uint64_t limit);

/* Ends its waiting. */
void watcher_disarm(Watcher *self);

void watcher_stop(Watcher *self);
