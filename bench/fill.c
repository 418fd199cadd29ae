/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How soon does who wait know that a limit was passed, when a process really fills memory?
 *
 *   fill [--group=DIRECTORY] small|huge THREADS TRIALS SEED NAME[=ARGUMENT]...
 *
 * In each trial all watchers named (see watcher.c) wait for a limit somewhat above what is used now;
 * after a random time, so that those that sleep are anywhere in their sleep, the filler starts. It
 * runs until all know, or so much is filled as is allowed. How much that is says the scene: the whole
 * machine, or with --group a cgroup of version 2, for small machines. All meters are the group's then.
 *
 * The crossing is known from the filler alone, which puts down the time and the meter after each
 * chunk: it is taken to lie at the end of the last chunk that left the meter below the limit, so that
 * delays come out too long by a chunk at most, never too short. The limit of a cgroup v1 is one of its
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

#define PAGE_BYTES 4096
#define HUGE_BYTES (2 * FILLER_MIB)
#define WATCHERS_MAX 8
/* The longest time before the fill starts; as long as the longest sleep among the peers. */
#define QUIET_MS 1000
/* After the fill, the driver's back-off may have slept for so long at most. */
#define PATIENCE_MS 5000
/* Before the next trial, so that no daemon's last sample shows the memory of the one before. */
#define SETTLE_MS 300

typedef struct Scene {
    uint64_t room_bytes;  /* the limit is so far above what is used */
    uint64_t bytes_max;   /* filled at most */
    uint64_t chunk_bytes; /* of pages that are not huge */
    uint64_t spare_mib;   /* left to everybody else */
} Scene;

static const Scene machine_scene = { 512 * FILLER_MIB, 2048 * FILLER_MIB, FILLER_MIB, 2048 };
/* In emulation memory fills a tenth as fast. */
static const Scene group_scene = { 64 * FILLER_MIB, 256 * FILLER_MIB, FILLER_MIB / 8, 64 };

typedef struct Trial {
    const Scene *scene;
    Filler *filler;
    Watcher watchers[WATCHERS_MAX];
    int n_watchers;
    const char *cgroup; /* for the filler to be in */
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

static void check_room(const Scene *scene) {
    errno = ENOMEM;
    if (used_available_mib() < scene->bytes_max / FILLER_MIB + scene->spare_mib)
        fatal("too little memory is available to fill any");
}

static void arm_all(Trial *self) {
    self->limit_pages = used_pages() + self->scene->room_bytes / PAGE_BYTES;
    for (int i = 0; i < self->n_watchers; i++) {
        Watcher *watcher = &self->watchers[i];

        if (!watcher_arm(watcher, watcher->kind->is_of_cgroup ? self->scene->room_bytes : self->limit_pages))
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
        return filler_time_of_bytes(self->filler, self->scene->room_bytes);
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
           (int64_t)bytes - (int64_t)(self->limit_pages - filler->used_before_pages) * PAGE_BYTES);
    for (int i = 0; i < self->n_watchers; i++)
        report_watcher(self, &self->watchers[i], end_ns);
}

static void run(Trial *self) {
    int64_t end_ns;

    check_room(self->scene);
    usleep(SETTLE_MS * 1000);
    filler_start(self->filler, self->cgroup);
    arm_all(self);
    usleep(random() % (QUIET_MS * 1000L));
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

static Filler *new_filler(const Scene *scene, bool has_huge_pages, unsigned n_threads) {
    Filler *filler = mmap(NULL, sizeof *filler, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (filler == MAP_FAILED)
        fatal("cannot share memory");
    filler->has_huge_pages = has_huge_pages;
    filler->n_threads = n_threads;
    filler->bytes_max = scene->bytes_max;
    filler->chunk_bytes = has_huge_pages ? HUGE_BYTES : scene->chunk_bytes;
    return filler;
}

int main(int argc, char **argv) {
    static const char group_option[] = "--group=";
    Trial trial = { .scene = &machine_scene };

    if (argc > 1 && strncmp(argv[1], group_option, strlen(group_option)) == 0) {
        trial.scene = &group_scene;
        trial.cgroup = argv[1] + strlen(group_option);
        used_choose_group(trial.cgroup);
        argc--;
        argv++;
    }
    if (argc < 6) {
        fprintf(stderr, "usage: fill [--group=DIRECTORY] small|huge THREADS TRIALS SEED NAME[=ARGUMENT]...\n");
        return 2;
    }
    trial.filler = new_filler(trial.scene, strcmp(argv[1], "huge") == 0, atoi(argv[2]));
    srandom(atoi(argv[4]));
    for (int i = 5; i < argc; i++)
        parse_watcher(&trial, argv[i]);

    for (int i = 0; i < atoi(argv[3]); i++)
        run(&trial);

    for (int i = 0; i < trial.n_watchers; i++)
        watcher_stop(&trial.watchers[i]);
    return 0;
}
