/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hog MIB: takes so much memory at once and keeps it.
 * hog MIB MIB_PER_S: takes it at that rate, then ends with status 0: a work that needs it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB (1UL << 20)

static void take(size_t mib) {
    /* cppcheck-suppress leakReturnValNotUsed ; it is kept to the end */
    if (mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED)
        exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
    long mib = argc > 1 ? atol(argv[1]) : 0, rate = argc > 2 ? atol(argv[2]) : 0;

    if (mib <= 0 || (argc > 2 && rate <= 0)) {
        fprintf(stderr, "usage: hog MIB [MIB_PER_S]\n");
        return 2;
    }
    if (rate == 0) {
        take(mib);
        pause();
        return EXIT_SUCCESS;
    }
    for (long taken = 0; taken < mib; taken++) {
        struct timespec interval = { .tv_sec = 1 / rate, .tv_nsec = 1000000000 / rate % 1000000000 };

        take(1);
        nanosleep(&interval, NULL);
    }
    return EXIT_SUCCESS;
}
