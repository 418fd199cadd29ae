/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hog MIB [MS [FILE]]: takes that much anonymous memory, a MiB at a time with a pause of MS between, prints
 * "full" and keeps it. With FILE it reads more of that each time, from the beginning again at its end, so that page cache
 * takes all that is left. hog --page prints the size of a page. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB 1048576

/* Between two MiB of memory. */
#define READ_MIB 8

static void read_on(int fd) {
    static char buffer[MIB];

    for (int i = 0; i < READ_MIB; i++)
        if (read(fd, buffer, sizeof buffer) <= 0)
            lseek(fd, 0, SEEK_SET);
}

int main(int argc, char **argv) {
    long mib = argc > 1 ? atol(argv[1]) : 0;
    long pause_ms = argc > 2 ? atol(argv[2]) : 0;
    int fd = argc > 3 ? open(argv[3], O_RDONLY) : -1;

    if (argc > 1 && strcmp(argv[1], "--page") == 0) {
        printf("%ld\n", sysconf(_SC_PAGESIZE));
        return 0;
    }
    for (long i = 0; i < mib; i++) {
        char *block = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (block == MAP_FAILED)
            return 1;
        memset(block, 1, MIB);
        if (fd >= 0)
            read_on(fd);
        usleep((useconds_t)pause_ms * 1000);
    }
    puts("full");
    fflush(stdout);
    pause();
}
