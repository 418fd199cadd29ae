/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shared_memory MOUNT REQUEST PROGRAM: a child that shares this process's memory writes REQUEST to
 * oom_notify and then executes PROGRAM, as a child of vfork() might. The memory lives on here, so by it
 * nobody sees that the child has another. */
#include "attacker.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define STACK_BYTES 65536

static int child(void *arguments) {
    char **argv = arguments;
    int device = open_below(argv[1], "oom_notify", O_RDWR);

    if (write(device, argv[2], strlen(argv[2])) < 0)
        fail(argv[2]);
    execl(argv[3], argv[3], NULL);
    fail(argv[3]);
}

int main(int argc, char **argv) {
    static char stack[STACK_BYTES];
    int status;
    pid_t pid;

    demand_arguments(argc, 3, "shared_memory MOUNT REQUEST PROGRAM");
    pid = clone(child, stack + STACK_BYTES, CLONE_VM | SIGCHLD, argv);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        fail("clone");
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
