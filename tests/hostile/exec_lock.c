/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec_lock MOUNT FILE: asks for signals by asynchronous writes to oom_notify and executes another program
 * before they are answered.
 *
 * While a process executes it holds a lock that everybody takes who looks at its memory or takes over its
 * descriptors, and under that it waits for its asynchronous writes and closes FILE, one that is never done
 * with its flush. */
#include "attacker.h"

#include <linux/aio_abi.h>
#include <signal.h>
#include <sys/syscall.h>

#define WRITES 500

static char request[] = "signal USR1";

int main(int argc, char **argv) {
    static struct iocb writes[WRITES], *queue[WRITES];
    aio_context_t context = 0;
    int device;

    demand_arguments(argc, 2, "exec_lock MOUNT FILE");
    signal(SIGUSR1, SIG_IGN);
    device = open_below(argv[1], "oom_notify", O_RDWR);
    /* cppcheck-suppress leakReturnValNotUsed ; it is there for exec to close */
    if (open(argv[2], O_RDWR | O_CLOEXEC) < 0)
        fail(argv[2]);
    if (syscall(SYS_io_setup, WRITES, &context) < 0)
        fail("io_setup");
    for (int i = 0; i < WRITES; i++) {
        writes[i] = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PWRITE,
                                   .aio_fildes = device,
                                   .aio_buf = (unsigned long)request,
                                   .aio_nbytes = strlen(request) };
        queue[i] = &writes[i];
    }

    say("attacking");
    if (syscall(SYS_io_submit, context, WRITES, queue) < 0)
        fail("io_submit");
    execl("/bin/true", "true", NULL);
    fail("/bin/true");
}
