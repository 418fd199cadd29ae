/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reader METHOD FILE: says "open", then what METHOD gets from FILE: until its end, or once from what cannot
 * be seeked in. Its exit status is the error: an errno, or 255 where the kernel has no such method. */
#include "attacker.h"

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BYTES_MAX 65536
#define NOT_HERE 255

static char buffer[BYTES_MAX];

static ssize_t put(ssize_t n) {
    return n > 0 ? write(STDOUT_FILENO, buffer, n) : n;
}

static ssize_t by_read(int fd) {
    return put(read(fd, buffer, sizeof buffer));
}

static ssize_t by_pread(int fd) {
    static off_t offset;
    ssize_t n = put(pread(fd, buffer, sizeof buffer, offset));

    offset += n;
    return n;
}

/* Not to stdout: that pipe would be locked for as long as this takes. */
static ssize_t by_pipe(int fd, ssize_t (*fill)(int fd, int pipe)) {
    static int pipes[2];
    ssize_t n;

    if (pipes[0] == pipes[1] && pipe(pipes) < 0)
        fail("pipe");
    n = fill(fd, pipes[1]);
    return n > 0 ? put(read(pipes[0], buffer, n)) : n;
}

static ssize_t fill_by_splice(int fd, int pipe) {
    return splice(fd, NULL, pipe, NULL, BYTES_MAX, 0);
}

static ssize_t fill_by_sendfile(int fd, int pipe) {
    return sendfile(pipe, fd, NULL, BYTES_MAX);
}

static ssize_t by_splice(int fd) {
    return by_pipe(fd, fill_by_splice);
}

static ssize_t by_sendfile(int fd) {
    return by_pipe(fd, fill_by_sendfile);
}

/* All of it at once. Behind the text there is zero, and SIGBUS from the next page on. */
static ssize_t by_mmap(int fd, int flags) {
    static int is_done;
    struct stat st;
    char *map;

    if (is_done)
        return 0;
    fstat(fd, &st);
    map = mmap(NULL, st.st_size, PROT_READ, flags, fd, 0);
    if (map == MAP_FAILED)
        return -1;
    is_done = 1;
    strcpy(buffer, map); /* write(2) would make an EFAULT of a SIGBUS */
    munmap(map, st.st_size);
    return put(strlen(buffer));
}

static ssize_t by_private_mmap(int fd) {
    return by_mmap(fd, MAP_PRIVATE);
}

static ssize_t by_shared_mmap(int fd) {
    return by_mmap(fd, MAP_SHARED);
}

static ssize_t put_result(int64_t result) {
    if (result >= 0)
        return put(result);
    errno = -result;
    return -1;
}

static ssize_t by_aio(int fd) {
    static off_t offset;
    struct iocb read = { .aio_lio_opcode = IOCB_CMD_PREAD,
                         .aio_fildes = fd,
                         .aio_buf = (uintptr_t)buffer,
                         .aio_nbytes = sizeof buffer,
                         .aio_offset = offset };
    struct iocb *queue = &read;
    struct io_event result;
    aio_context_t context = 0;

    if (syscall(SYS_io_setup, 1, &context) < 0)
        exit(NOT_HERE);
    if (syscall(SYS_io_submit, context, 1, &queue) < 0 || syscall(SYS_io_getevents, context, 1, 1, &result, NULL) < 0)
        return -1;
    syscall(SYS_io_destroy, context);
    offset += result.res > 0 ? result.res : 0;
    return put_result(result.res);
}

static char *map_ring(int ring, size_t bytes, off_t which) {
    char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, which);

    if (map == MAP_FAILED)
        fail("mmap of a ring");
    return map;
}

/* One request, one completion: the kernel itself goes on until the buffer is full. */
static ssize_t by_io_uring(int fd) {
    static int ring = -1;
    struct io_uring_params params = { 0 };
    struct io_uring_cqe *completion;
    struct io_uring_sqe *request;
    char *submitted, *completed;

    if (ring >= 0)
        return 0;
    ring = syscall(SYS_io_uring_setup, 1, &params);
    if (ring < 0)
        exit(NOT_HERE);
    submitted = map_ring(ring, params.sq_off.array + params.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
    completed = map_ring(ring, params.cq_off.cqes + params.cq_entries * sizeof *completion, IORING_OFF_CQ_RING);
    request = (void *)map_ring(ring, params.sq_entries * sizeof *request, IORING_OFF_SQES);

    *request = (struct io_uring_sqe){
        .opcode = IORING_OP_READ, .fd = fd, .off = -1, .addr = (uintptr_t)buffer, .len = sizeof buffer
    };
    *(uint32_t *)(submitted + params.sq_off.array) = 0;
    __atomic_store_n((uint32_t *)(submitted + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
        return -1;
    completion = (void *)(completed + params.cq_off.cqes);
    return put_result(completion->res);
}

static const struct {
    const char *name;
    ssize_t (*get)(int fd); /* the bytes that went to stdout, or -1 */
} methods[] = {
    { "read", by_read },
    { "pread", by_pread },
    { "mmap-private", by_private_mmap },
    { "mmap-shared", by_shared_mmap },
    { "splice", by_splice },
    { "sendfile", by_sendfile },
    { "io_uring", by_io_uring },
    { "aio", by_aio },
};

int main(int argc, char **argv) {
    ssize_t (*get)(int fd) = NULL;
    int fd, is_stream;
    ssize_t n;

    demand_arguments(argc, 2, "reader METHOD FILE");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(argv[1], methods[i].name) == 0)
            get = methods[i].get;
    fd = open(argv[2], O_RDONLY);
    if (!get || fd < 0)
        fail(argv[2]);
    is_stream = lseek(fd, 0, SEEK_CUR) < 0;
    say("open");

    do
        n = get(fd);
    while (n > 0 && !is_stream);
    return n < 0 ? errno : 0;
}
