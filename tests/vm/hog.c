/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hog MIB: takes so much memory at once and keeps it.
 * hog MIB MIB_PER_S: takes it at that rate, then ends with status 0: a work that needs it.
 * hog until KIB: takes memory until no more than so much is available, and keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define STEP_KIB 128

static void take(size_t bytes) {
    /* cppcheck-suppress leakReturnValNotUsed ; it is kept to the end */
    if (mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
        exit(EXIT_FAILURE);
}

static long available_kib(void) {
    char line[128];
    long kib = 0;
    FILE *meminfo = fopen("/proc/meminfo", "re");

    while (meminfo && fgets(line, sizeof line, meminfo))
        if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
            break;
    if (meminfo)
        fclose(meminfo);
    return kib;
}

static void take_until(long kib) {
    while (available_kib() > kib)
        take(STEP_KIB << 10);
    pause();
}

int main(int argc, char **argv) {
    long mib = argc > 1 ? atol(argv[1]) : 0, rate = argc > 2 ? atol(argv[2]) : 0;

    if (argc > 2 && strcmp(argv[1], "until") == 0) {
        take_until(rate);
        return EXIT_SUCCESS;
    }
    if (mib <= 0 || (argc > 2 && rate <= 0)) {
        fprintf(stderr, "usage: hog MIB [MIB_PER_S] | hog until KIB\n");
        return 2;
    }
    if (rate == 0) {
        take((size_t)mib * MIB);
        pause();
        return EXIT_SUCCESS;
    }
    for (long taken = 0; taken < mib; taken++) {
        struct timespec interval = { .tv_sec = 1 / rate, .tv_nsec = 1000000000 / rate % 1000000000 };

        take(MIB);
        nanosleep(&interval, NULL);
    }
    return EXIT_SUCCESS;
}
