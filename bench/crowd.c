/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crowd N: N sleeping processes, which share one address space so that they cost 22 KiB each. Prints
 * a line when all are there and ends them when its standard input ends. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 4096

static int sleep_for_ever(void *unused) {
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (1)
        pause();
    return 0;
}

int main(int argc, char **argv) {
    int n = argc == 2 ? atoi(argv[1]) : 0, started, status = EXIT_SUCCESS;
    pid_t *pids = calloc(n > 0 ? n : 1, sizeof *pids);
    char *stacks, byte;

    if (n <= 0) {
        fprintf(stderr, "usage: crowd N\n");
        free(pids);
        return 2;
    }
    if (!pids) {
        perror("crowd: calloc");
        return EXIT_FAILURE;
    }
    stacks = mmap(NULL, (size_t)n * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stacks == MAP_FAILED) {
        perror("crowd: mmap");
        free(pids);
        return EXIT_FAILURE;
    }

    for (started = 0; started < n; started++) {
        pids[started] = clone(sleep_for_ever, stacks + (size_t)(started + 1) * STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
        if (pids[started] < 0) {
            perror("crowd: clone");
            status = EXIT_FAILURE;
            break;
        }
    }
    if (status == EXIT_SUCCESS) {
        printf("%d\n", started);
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
            continue;
    }

    for (int i = 0; i < started; i++)
        kill(pids[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    free(pids);
    return status;
}
