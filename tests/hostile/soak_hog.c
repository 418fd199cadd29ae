/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fills memory for the soak. Each line of standard input is a number of MiB: it has so much from then on, with every page
 * touched, nothing of what it had before, and says "done". */
#include "attacker.h"

#include <sys/mman.h>

int main(void) {
    char line[32], *memory = NULL;
    size_t size = 0;

    while (fgets(line, sizeof line, stdin)) {
        if (size > 0)
            munmap(memory, size);
        size = strtoul(line, NULL, 10) << 20;
        memory = size > 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
        if (memory == MAP_FAILED)
            fail("cannot map memory");
        for (size_t i = 0; i < size; i += 4096)
            memory[i] = 1;
        say("done");
    }
    return EXIT_SUCCESS;
}
