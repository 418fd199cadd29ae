/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How soon does who wait know that a limit was passed, when a process really fills memory?
 *
 *   fill small|huge THREADS TRIALS SEED NAME[=ARGUMENT]...
 *
 * In each trial all watchers named (see watcher.c) wait for a limit ROOM_MIB above what is used now;
 * after a random time, so that those that sleep are anywhere in their sleep, the filler starts. It
 * runs until all know, or has filled FILLER_BYTES_MAX.
 *
 * The crossing is known from the filler alone, which puts down the time and the meter after each
 * chunk: it is taken to lie at the end of the last chunk that left the meter below the limit, so that
 * delays come out too long by a chunk at most, never too short. The limit of a cgroup is one of its
 * own usage, and is crossed where so much was filled.
 *
 * A trial in which the meter falls below the limit again, because others free memory, proves nothing
 * and is printed as "void". Of any other, a line says after how long the limit was crossed, how fast
 * memory was filled until then, and by how much the meter lagged behind what was filled (the kernel
 * hands out pages that it has set aside for a CPU without counting them as used):
 *
 *   trial CROSSING_NS BYTES_PER_SECOND LAG_BYTES
 *
 * and a line a watcher its delay from the crossing and how much more was filled meanwhile, or how long
 * it was waited for in vain:
 *
 *   NAME DELAY_NS OVERSHOOT_BYTES
 *   NAME never WAITED_NS
 */
#include "fatal.h"
#include "filler.h"
#include "series.h"
#include "used.h"
#include "watcher.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM_MIB 512
#define ROOM_PAGES (ROOM_MIB * FILLER_MIB / 4096)
#define WATCHERS_MAX 8
/* The longest time before the fill starts; as long as the longest sleep among the peers. */
#define QUIET_MS 1000
/* After the fill, the driver's back-off may have slept for so long at most. */
#define PATIENCE_MS 5000
/* Before the next trial, so that no daemon's last sample shows the memory of the one before. */
#define SETTLE_MS 300
/* Beside what the filler takes, so much is left to everybody else. */
#define SPARE_MIB 2048

typedef struct Trial {
    Filler *filler;
    Watcher watchers[WATCHERS_MAX];
    int n_watchers;
    const char *cgroup;
    uint64_t limit_pages;
} Trial;

static void parse_watcher(Trial *self, char *text) {
    char *argument = strchr(text, '=');
    Watcher *watcher = &self->watchers[self->n_watchers++];

    errno = EINVAL;
    if (argument)
        *argument++ = '\0';
    if (self->n_watchers > WATCHERS_MAX || !watcher_kind_find(text))
        fatal("no watcher is called '%s'", text);

    watcher_start(watcher, text, argument);
    if (watcher->kind->is_of_cgroup)
        self->cgroup = argument;
}

static void check_room(void) {
    errno = ENOMEM;
    if (used_available_mib() < FILLER_BYTES_MAX / FILLER_MIB + SPARE_MIB)
        fatal("too little memory is available to fill any");
}

static void arm_all(Trial *self) {
    self->limit_pages = used_pages() + ROOM_PAGES;
    for (int i = 0; i < self->n_watchers; i++) {
        Watcher *watcher = &self->watchers[i];

        if (!watcher_arm(watcher, watcher->kind->is_of_cgroup ? ROOM_PAGES * 4096 : self->limit_pages))
            fatal("'%s' cannot wait", watcher->kind->name);
    }
}

static bool all_know(const Trial *self) {
    for (int i = 0; i < self->n_watchers; i++)
        if (!*(volatile int64_t *)self->watchers[i].returned_ns && !self->watchers[i].kind->may_never)
            return false;
    return true;
}

static void await_all(const Trial *self) {
    int64_t end_ns = series_now_ns() + PATIENCE_MS * INT64_C(1000000);

    while (!all_know(self) && series_now_ns() < end_ns)
        usleep(5000);
}

static int64_t crossing_ns(const Trial *self, const Watcher *watcher) {
    if (watcher->kind->is_of_cgroup)
        return filler_time_of_bytes(self->filler, ROOM_PAGES * 4096);
    return filler_time_of_used(self->filler, self->limit_pages);
}

static void report_watcher(const Trial *self, const Watcher *watcher, int64_t end_ns) {
    const Filler *filler = self->filler;
    int64_t since_ns = crossing_ns(self, watcher), returned_ns = *watcher->returned_ns;

    if (returned_ns == 0)
        printf("%s never %" PRId64 "\n", watcher->kind->name, end_ns - since_ns);
    else
        printf("%s %" PRId64 " %" PRId64 "\n", watcher->kind->name, returned_ns - since_ns,
               (int64_t)(filler_bytes_at(filler, returned_ns) - filler_bytes_at(filler, since_ns)));
}

static void report(const Trial *self, int64_t end_ns) {
    const Filler *filler = self->filler;
    int64_t crossed_ns = filler_time_of_used(filler, self->limit_pages);
    uint64_t bytes = filler_bytes_at(filler, crossed_ns);

    if (crossed_ns <= filler->start_ns) { /* others have taken or freed as much */
        printf("void\n");
        return;
    }
    printf("trial %" PRId64 " %.0f %" PRId64 "\n", crossed_ns - filler->start_ns,
           bytes * 1e9 / (crossed_ns - filler->start_ns),
           (int64_t)bytes - (int64_t)(self->limit_pages - filler->used_before_pages) * 4096);
    for (int i = 0; i < self->n_watchers; i++)
        report_watcher(self, &self->watchers[i], end_ns);
}

static void run(Trial *self) {
    int64_t end_ns;

    check_room();
    usleep(SETTLE_MS * 1000);
    filler_start(self->filler, self->cgroup);
    arm_all(self);
    usleep(random() % (QUIET_MS * 1000));
    filler_go(self->filler);
    await_all(self);
    end_ns = series_now_ns();
    filler_stop(self->filler);

    for (int i = 0; i < self->n_watchers; i++)
        watcher_disarm(&self->watchers[i]);
    filler_end(self->filler);
    report(self, end_ns);
    fflush(stdout);
}

int main(int argc, char **argv) {
    Trial trial = { 0 };

    if (argc < 6) {
        fprintf(stderr, "usage: %s small|huge THREADS TRIALS SEED NAME[=ARGUMENT]...\n", argv[0]);
        return 2;
    }
    trial.filler = mmap(NULL, sizeof *trial.filler, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial.filler == MAP_FAILED)
        fatal("cannot share memory");
    trial.filler->has_huge_pages = strcmp(argv[1], "huge") == 0;
    trial.filler->n_threads = atoi(argv[2]);
    srandom(atoi(argv[4]));
    for (int i = 5; i < argc; i++)
        parse_watcher(&trial, argv[i]);

    for (int i = 0; i < atoi(argv[3]); i++)
        run(&trial);

    for (int i = 0; i < trial.n_watchers; i++)
        watcher_stop(&trial.watchers[i]);
    return 0;
}
