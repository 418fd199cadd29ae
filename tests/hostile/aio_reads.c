/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aio_reads MOUNT N: N asynchronous reads of events, each submitted by a thread of its own. */
#include "attacker.h"

#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/syscall.h>

static void *submit(void *events) {
    char *line = malloc(256);
    struct iocb read = { .aio_lio_opcode = IOCB_CMD_PREAD,
                         .aio_fildes = *(int *)events,
                         .aio_buf = (unsigned long)line,
                         .aio_nbytes = 256 };
    struct iocb *queue = &read;
    aio_context_t context = 0;

    if (syscall(SYS_io_setup, 1, &context) < 0)
        fail("io_setup");
    syscall(SYS_io_submit, context, 1, &queue);
    pause();
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t thread;
    int events;

    demand_arguments(argc, 2, "aio_reads MOUNT N");
    events = open_below(argv[1], "events", O_RDONLY);
    for (int i = 0; i < atoi(argv[2]); i++)
        pthread_create(&thread, NULL, submit, &events);
    pause();
    return EXIT_SUCCESS;
}
