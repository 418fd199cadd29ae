/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hog MIB [MS]: takes that much anonymous memory, a MiB at a time with a pause of MS between, prints
 * "full" and keeps it. hog --page prints the size of a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB 1048576

int main(int argc, char **argv) {
    long mib = argc > 1 ? atol(argv[1]) : 0;
    long pause_ms = argc > 2 ? atol(argv[2]) : 0;

    if (argc > 1 && strcmp(argv[1], "--page") == 0) {
        printf("%ld\n", sysconf(_SC_PAGESIZE));
        return 0;
    }
    for (long i = 0; i < mib; i++) {
        char *block = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (block == MAP_FAILED)
            return 1;
        memset(block, 1, MIB);
        usleep((useconds_t)pause_ms * 1000);
    }
    puts("full");
    fflush(stdout);
    pause();
}
