/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What allocations cost in a program of one thread: allocate SMALL|LARGE BATCHES N prints the ns of each of N pairs of malloc
 * and free, as means of a batch. Small ones come from the cache that each thread of glibc has, large ones from an arena,
 * which has a lock as soon as the process has had a second thread. 1000 are held at any time, and replaced at random. */
#include "fatal.h"
#include "series.h"

#include <stdlib.h>
#include <string.h>

#define HELD 1000

static unsigned state = 1;

/* A linear congruential generator: the same numbers in each run. */
static unsigned next_random(void) {
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static void replace(char **held, size_t smallest, size_t sizes) {
    size_t i = next_random() % HELD;

    free(held[i]);
    held[i] = malloc(smallest + next_random() % sizes);
    if (!held[i])
        fatal("cannot allocate");
    held[i][0] = 1;
}

int main(int argc, char **argv) {
    static char *held[HELD];
    size_t smallest, sizes;
    Series series;

    if (argc != 4)
        fatal("usage: allocate SMALL|LARGE BATCHES N");
    smallest = strcmp(argv[1], "small") == 0 ? 16 : 1100;
    sizes = strcmp(argv[1], "small") == 0 ? 500 : 3000;
    series_init(&series, argv[1], 1);
    for (long batch = strtol(argv[2], NULL, 10), n = strtol(argv[3], NULL, 10); batch > 0; batch--) {
        int64_t start = series_now_ns();

        for (long i = 0; i < n; i++)
            replace(held, smallest, sizes);
        series_begin(&series);
        series_add(&series, (series_now_ns() - start) * 1000 / n); /* picoseconds */
        series_print(&series);
    }
    series_clear(&series);
    return 0;
}
