/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the calls, what they are made on, and a record of them that outlives whoever makes them. */
#include "fuzzer_calls.h"

#include "attacker.h"
#include "fuzzer_text.h"

#include <linux/aio_abi.h>
#include <linux/openat2.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#define BUFFER_BYTES (1 << 20)
#define N_OPEN 48
#define N_SETS 3
#define N_CHILDREN 6
#define TRACE_LINES 64
#define TRACE_LINE 160

static const char *mount_point;
static char *buffer;

static struct {
    int fd;
    const File *file; /* NULL for a threshold */
} open_files[N_OPEN];

static int sets[N_SETS], eventfds[4], pipe_ends[2], watcher;
static pid_t children[N_CHILDREN];
static aio_context_t aio;

/* ---- what it works with ---------------------------------------------------------------------------------------- */

static char detail[TRACE_LINE / 2]; /* of the call that is being made */

#define DESCRIBE(...) snprintf(detail, sizeof detail, __VA_ARGS__)

static unsigned any_slot(void) {
    return chance(N_OPEN);
}

/* An open file, more often than not. */
static unsigned some_slot(void) {
    unsigned slot = any_slot();

    for (int i = 0; i < 8 && open_files[slot].fd < 0; i++)
        slot = any_slot();
    DESCRIBE("%d = %s", open_files[slot].fd, open_files[slot].file ? open_files[slot].file->name : "a threshold");
    return slot;
}

static int some_fd(void) {
    return open_files[some_slot()].fd;
}

static long keep(int fd, const File *file) {
    unsigned slot = any_slot();

    if (fd < 0)
        return fd;
    if (open_files[slot].fd >= 0)
        close(open_files[slot].fd);
    open_files[slot].fd = fd;
    open_files[slot].file = file;
    return fd;
}

static int some_eventfd(void) {
    return ONE_OF(eventfds);
}

static int some_process(void) {
    pid_t child = ONE_OF(children);

    return child > 0 && chance(4) ? child : chance(2) ? getpid() : getppid();
}

static const Own own = { some_eventfd, some_fd, some_process };

/* A path below the mount; of a threshold it has no `file`. Two can be used at a time. */
static const char *some_path(const File **ret_file) {
    static char paths[2][4096];
    static unsigned turn;
    char *path = paths[turn ^= 1], name[300];
    const File *file = chance(3) ? &files[chance(n_files)] : NULL;

    if (file) {
        snprintf(path, sizeof paths[0], "%s/%s", mount_point, file->name);
    } else {
        make_name(name);
        snprintf(path, sizeof paths[0], "%s/thresholds/%s", mount_point, name);
    }
    if (ret_file)
        *ret_file = file;
    DESCRIBE("%.60s", path + strlen(mount_point));
    return path;
}

static size_t some_length(void) {
    static const size_t lengths[] = { 0, 1, 7, 64, 191, 192, 4095, 4096, 4097, 65536, BUFFER_BYTES };

    return chance(3) ? ONE_OF(lengths) : chance(BUFFER_BYTES);
}

static off_t some_offset(void) {
    static const off_t offsets[] = { 0, 0, 1, 80, 4095, 4096, 1 << 20, INT64_MAX, -1 };

    return chance(3) ? ONE_OF(offsets) : (off_t)chance(9000);
}

static size_t some_text(unsigned slot) {
    const File *file = open_files[slot].file;
    size_t len = make_text(file ? file->kind : TEXT_LIMITS, &own, buffer);

    DESCRIBE("%d = %s, %zu bytes: %.40s", open_files[slot].fd, file ? file->name : "a threshold", len, buffer);
    return len;
}

/* ---- calls ----------------------------------------------------------------------------------------------------- */

static const int open_flags[] = { O_TRUNC,     O_APPEND,   O_DIRECT, O_PATH,  O_CREAT,   O_CREAT,   O_CREAT | O_EXCL,
                                  O_DIRECTORY, O_NOFOLLOW, O_SYNC,   O_ASYNC, O_NOATIME, O_TMPFILE, O_CLOEXEC };

static int some_flags(void) {
    int result = chance(2) ? O_RDWR : (int)chance(4);

    if (chance(2))
        result |= O_NONBLOCK;
    for (unsigned n = chance(3) ? 0 : chance(3); n > 0; n--)
        result |= ONE_OF(open_flags);
    return result;
}

static long call_open(void) {
    const File *file;
    const char *path = some_path(&file);

    return keep(open(path, file ? some_flags() : some_flags() | O_CREAT, chance(07777)), file);
}

static long call_openat2(void) {
    const File *file;
    const char *path = some_path(&file);
    struct open_how how = { .flags = some_flags(), .resolve = chance(2) ? 0 : 1u << chance(6) };

    if (how.flags & O_CREAT)
        how.mode = chance(0777);
    return keep(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how), file);
}

static long call_close(void) {
    unsigned slot = some_slot();
    int fd = open_files[slot].fd;

    open_files[slot].fd = -1;
    return close(fd);
}

static long call_read(void) {
    return read(some_fd(), buffer, some_length());
}

static long call_pread(void) {
    return pread(some_fd(), buffer, some_length(), some_offset());
}

static struct iovec pieces[8];

static int make_pieces(size_t len_max) {
    int n = chance(9);

    for (int i = 0; i < n; i++) {
        pieces[i].iov_base = buffer + i * 16384;
        pieces[i].iov_len = chance(len_max + 1);
    }
    return n;
}

static long call_readv(void) {
    int n = make_pieces(chance(2) ? 7 : 16384), fd = some_fd();

    return chance(2) ? readv(fd, pieces, n) : preadv(fd, pieces, n, some_offset());
}

static long call_write(void) {
    unsigned slot = some_slot();
    size_t len = some_text(slot);

    return write(open_files[slot].fd, buffer, len);
}

static long call_pwrite(void) {
    unsigned slot = some_slot();
    size_t len = some_text(slot);

    return pwrite(open_files[slot].fd, buffer, len, some_offset());
}

/* A text in pieces. */
static long call_writev(void) {
    unsigned slot = some_slot();
    size_t len = some_text(slot), cut = chance(len + 1);
    struct iovec parts[] = { { buffer, cut }, { NULL, 0 }, { buffer + cut, len - cut } };

    return writev(open_files[slot].fd, parts, 1 + chance(3));
}

static long call_poll(void) {
    struct pollfd polled[8];
    struct timespec time = { .tv_nsec = chance(5) * 1000000 };
    unsigned n = 1 + chance(8);

    for (unsigned i = 0; i < n; i++)
        polled[i] = (struct pollfd){ .fd = some_fd(), .events = chance(3) ? POLLIN | POLLPRI : chance(65536) };
    return chance(2) ? poll(polled, n, chance(3) ? 0 : -1) : ppoll(polled, n, &time, NULL);
}

static long call_select(void) {
    struct timeval time = { .tv_usec = chance(3000) };
    fd_set sets_of[3];
    int highest = -1;

    for (int i = 0; i < 3; i++)
        FD_ZERO(&sets_of[i]);
    for (int n = 1 + chance(4), fd; n > 0; n--) {
        fd = some_fd();
        if (fd < 0 || fd >= FD_SETSIZE)
            continue;
        FD_SET(fd, &sets_of[chance(3)]);
        highest = fd > highest ? fd : highest;
    }
    return select(highest + 1, &sets_of[0], &sets_of[1], &sets_of[2], &time);
}

static long call_epoll_ctl(void) {
    static const uint32_t kinds[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE };
    struct epoll_event event = { .events = (chance(3) ? EPOLLIN | EPOLLPRI : chance(256)) | ONE_OF(kinds) };

    return epoll_ctl(ONE_OF(sets), 1 + chance(3), chance(6) ? some_fd() : ONE_OF(sets), &event);
}

static long call_epoll_wait(void) {
    struct epoll_event events[16];

    return epoll_wait(ONE_OF(sets), events, 1 + chance(16), chance(3));
}

static long call_lseek(void) {
    return lseek(some_fd(), some_offset(), chance(6));
}

static long call_ftruncate(void) {
    return chance(2) ? ftruncate(some_fd(), some_offset()) : truncate(some_path(NULL), some_offset());
}

static long call_fallocate(void) {
    return fallocate(some_fd(), chance(8), chance(100), chance(10000));
}

static long call_stat(void) {
    struct statx ret;

    return chance(2)
               ? statx(some_fd(), "", AT_EMPTY_PATH, chance(4096), &ret)
               : statx(AT_FDCWD, some_path(NULL), chance(2) ? AT_STATX_FORCE_SYNC : AT_STATX_DONT_SYNC, 4095, &ret);
}

static long call_statfs(void) {
    struct statfs ret;

    return chance(2) ? statfs(some_path(NULL), &ret) : fstatfs(some_fd(), &ret);
}

static long call_access(void) {
    return access(some_path(NULL), chance(8));
}

/* What is not a threshold stays readable, or soon nobody could do anything any more. */
static long call_chmod(void) {
    const File *file;
    const char *path = some_path(&file);

    return chmod(path, file ? 0555 | chance(07777) : chance(07777));
}

static long call_chown(void) {
    static const int users[] = { -1, 0, 1001, 65534 };

    return lchown(some_path(NULL), ONE_OF(users), ONE_OF(users));
}

static long call_utimensat(void) {
    struct timespec times[] = { { chance(1u << 31), chance(2) ? UTIME_NOW : UTIME_OMIT }, { 0, chance(1000) } };

    return utimensat(AT_FDCWD, some_path(NULL), chance(2) ? times : NULL, 0);
}

static long call_unlink(void) {
    return chance(4) ? unlink(some_path(NULL)) : rmdir(some_path(NULL));
}

static long call_rename(void) {
    return syscall(SYS_renameat2, AT_FDCWD, some_path(NULL), AT_FDCWD, some_path(NULL), chance(2) ? 0 : chance(8));
}

static long call_link(void) {
    return chance(2) ? link(some_path(NULL), some_path(NULL)) : symlink("memnotify", some_path(NULL));
}

static long call_mknod(void) {
    static const mode_t kinds[] = { S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR };

    return chance(2) ? mkdir(some_path(NULL), 0755) : mknod(some_path(NULL), ONE_OF(kinds) | 0644, 0x103);
}

static long call_getdents(void) {
    const char *path = some_path(NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long r = fd;

    for (unsigned n = fd < 0 ? 0 : 1 + chance(30); n > 0; n--) {
        r = syscall(SYS_getdents64, fd, buffer, chance(2) ? 24 + chance(100) : some_length());
        if (chance(10) == 0)
            lseek(fd, some_offset(), SEEK_SET);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

static sigjmp_buf touched;
static volatile sig_atomic_t is_touching;

void calls_leave_page(void) {
    if (is_touching)
        siglongjmp(touched, 1);
}

static long call_mmap(void) {
    size_t len = 4096 * (1 + chance(4));
    volatile char *map = mmap(NULL, len, PROT_READ, chance(3) ? MAP_PRIVATE : MAP_SHARED, some_fd(), 4096 * chance(2));

    if (map == MAP_FAILED)
        return -1;
    is_touching = 1;
    if (sigsetjmp(touched, 1) == 0)
        for (size_t i = 0; i < len; i += 512)
            (void)map[i];
    is_touching = 0;
    return munmap((void *)map, len);
}

static void drain(void) {
    while (read(pipe_ends[0], buffer, 65536) > 0)
        continue;
}

static long call_splice_from(void) {
    long r = chance(2) ? sendfile(pipe_ends[1], some_fd(), NULL, chance(20000))
                       : splice(some_fd(), NULL, pipe_ends[1], NULL, chance(20000), SPLICE_F_NONBLOCK);
    int error = errno;

    drain();
    errno = error;
    return r;
}

static long call_splice_to(void) {
    unsigned slot = some_slot();
    size_t len = some_text(slot);
    long r = write(pipe_ends[1], buffer, len < 4096 ? len : 4096);
    int error;

    r = splice(pipe_ends[0], NULL, open_files[slot].fd, NULL, len, SPLICE_F_NONBLOCK);
    error = errno;
    drain();
    errno = error;
    return r;
}

static long call_copy_file_range(void) {
    int from = some_fd();

    return copy_file_range(from, NULL, some_fd(), NULL, chance(9000), 0);
}

static long call_fsync(void) {
    return chance(2) ? fsync(some_fd()) : syscall(SYS_syncfs, some_fd());
}

static long call_fadvise(void) {
    return chance(2) ? readahead(some_fd(), 0, chance(9000)) : posix_fadvise(some_fd(), 0, chance(9000), chance(6));
}

static long call_dup(void) {
    unsigned slot = some_slot(), other;

    if (chance(2))
        return keep(dup(open_files[slot].fd), open_files[slot].file);
    other = some_slot();
    if (open_files[slot].fd < 0 || open_files[other].fd < 0)
        return -1;
    open_files[other].file = open_files[slot].file;
    return dup2(open_files[slot].fd, open_files[other].fd);
}

static long call_fcntl(void) {
    static const int flags[] = { 0, O_NONBLOCK, O_ASYNC | O_NONBLOCK, O_APPEND };
    struct flock lock = { .l_type = chance(3), .l_start = chance(100), .l_len = chance(100) };
    int fd = some_fd();

    switch (chance(6)) {
    case 0:
        return fcntl(fd, chance(8) ? F_SETLK : F_SETLKW, &lock);
    case 1:
        return flock(fd, (chance(8) ? LOCK_NB : 0) | 1 << chance(4));
    case 2:
        return fcntl(fd, F_SETLEASE, chance(3));
    case 3:
        return fcntl(fd, F_SETOWN, getpid());
    default:
        return fcntl(fd, F_SETFL, ONE_OF(flags));
    }
}

static long call_ioctl(void) {
    static const unsigned long requests[] = { 0x5401, FIONREAD, FIONBIO, FIOASYNC, 0x80086601, 0xc0ffee };

    memset(buffer, 0, 64);
    return ioctl(some_fd(), ONE_OF(requests), buffer);
}

static long call_xattr(void) {
    static const char *const names[] = { "user.a", "security.capability", "system.posix_acl_access", "trusted.x", "b" };
    const char *path = some_path(NULL), *name = ONE_OF(names);

    switch (chance(4)) {
    case 0:
        return getxattr(path, name, buffer, chance(500));
    case 1:
        return setxattr(path, name, buffer, chance(100), chance(3));
    case 2:
        return listxattr(path, buffer, chance(500));
    default:
        return removexattr(path, name);
    }
}

static long call_inotify(void) {
    return inotify_add_watch(watcher, some_path(NULL), 1 + chance(4095));
}

/* Eventfds come and go, too, and their numbers with them. */
static long call_register(void) {
    static const char *const names[] = { "usage_in_bytes", "memsw.usage_in_bytes", "oom_control", "pressure_level" };
    static const char *const arguments[] = { "100M", "5G", "low", "medium", "critical,local", "" };
    char path[4096], text[64];
    int control, file, *eventfd_of = &ONE_OF(eventfds);
    long r;

    if (chance(4) == 0) {
        close(*eventfd_of);
        *eventfd_of = eventfd(0, EFD_NONBLOCK);
    }
    snprintf(path, sizeof path, "%s/memcg/cgroup.event_control", mount_point);
    control = open(path, O_WRONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/memcg/memory.%s", mount_point, ONE_OF(names));
    file = open(path, O_RDONLY | O_CLOEXEC);
    r = snprintf(text, sizeof text, "%d %d %s", *eventfd_of, file, ONE_OF(arguments));
    DESCRIBE("%s %s", path + strlen(mount_point), text);
    r = write(control, text, r);
    close(file);
    close(control);
    return r;
}

static long call_aio(void) {
    static char read_bytes[4096];
    static struct iocb request;
    struct iocb *requests[] = { &request };
    struct io_event event;
    struct timespec time = { .tv_nsec = 1000000 };

    request = (struct iocb){ .aio_lio_opcode = chance(4) ? IOCB_CMD_PREAD : IOCB_CMD_POLL,
                             .aio_fildes = some_fd(),
                             .aio_buf = (uintptr_t)read_bytes,
                             .aio_nbytes = sizeof read_bytes };
    if (request.aio_lio_opcode == IOCB_CMD_POLL) {
        request.aio_buf = POLLIN;
        request.aio_nbytes = 0;
    }
    if (syscall(SYS_io_submit, aio, 1, requests) != 1)
        return -1;
    return syscall(SYS_io_getevents, aio, 1, 1, &event, &time);
}

/* What it has open it inherits. It is killed in the middle of this, by its parent or at the end of this life. */
static _Noreturn void live_as_child(void) {
    struct pollfd polled = { .fd = some_fd(), .events = POLLPRI };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    memset(children, 0, sizeof children); /* are not its own to reap, and so to kill */
    switch (chance(5)) {
    case 0:
        _exit(0);
    case 1:
        while (read(polled.fd, buffer, 4096) > 0)
            continue;
        break;
    case 2:
        poll(&polled, 1, -1);
        break;
    case 3:
        execl("/bin/true", "true", (char *)NULL);
        break;
    default:
        for (unsigned n = chance(30); n > 0; n--)
            call_some();
    }
    _exit(0);
}

static long call_fork(void) {
    pid_t *child = &ONE_OF(children);

    if (*child > 0)
        return -1; /* enough of them */
    *child = fork();
    if (*child == 0)
        live_as_child();
    return *child;
}

static long call_kill(void) {
    pid_t child = ONE_OF(children);

    return child > 0 ? kill(child, SIGKILL) : -1;
}

/* A call, and how often it is made compared with the others. */
static const struct {
    const char *name;
    unsigned weight;
    long (*make)(void); /* -1 and errno, as system calls have it; 0 in errno where there was nothing to call */
} calls[] = {
    { "open", 14, call_open },
    { "openat2", 2, call_openat2 },
    { "close", 5, call_close },
    { "read", 12, call_read },
    { "pread", 4, call_pread },
    { "readv", 4, call_readv },
    { "write", 16, call_write },
    { "pwrite", 3, call_pwrite },
    { "writev", 3, call_writev },
    { "poll", 6, call_poll },
    { "select", 3, call_select },
    { "epoll_ctl", 6, call_epoll_ctl },
    { "epoll_wait", 5, call_epoll_wait },
    { "lseek", 2, call_lseek },
    { "ftruncate", 2, call_ftruncate },
    { "fallocate", 1, call_fallocate },
    { "stat", 3, call_stat },
    { "statfs", 1, call_statfs },
    { "access", 1, call_access },
    { "chmod", 2, call_chmod },
    { "chown", 1, call_chown },
    { "utimensat", 1, call_utimensat },
    { "unlink", 4, call_unlink },
    { "rename", 1, call_rename },
    { "link", 1, call_link },
    { "mknod", 1, call_mknod },
    { "getdents", 2, call_getdents },
    { "mmap", 2, call_mmap },
    { "splice_from", 2, call_splice_from },
    { "splice_to", 2, call_splice_to },
    { "copy_file_range", 1, call_copy_file_range },
    { "fsync", 1, call_fsync },
    { "fadvise", 1, call_fadvise },
    { "dup", 3, call_dup },
    { "fcntl", 3, call_fcntl },
    { "ioctl", 1, call_ioctl },
    { "xattr", 1, call_xattr },
    { "inotify", 1, call_inotify },
    { "register", 5, call_register },
    { "aio", 2, call_aio },
    { "fork", 2, call_fork },
    { "kill", 1, call_kill },
};
#define N_CALLS (sizeof calls / sizeof *calls)

/* ---- the record ------------------------------------------------------------------------------------------------ */

typedef struct {
    unsigned long made, succeeded[N_CALLS];
} Counts;

/* Shared by all lives. */
static Counts *counts;
static char *trace;

static unsigned some_call(void) {
    unsigned sum = 0, ticket;

    for (size_t i = 0; i < N_CALLS; i++)
        sum += calls[i].weight;
    ticket = chance(sum);
    for (unsigned i = 0;; i++) {
        if (ticket < calls[i].weight)
            return i;
        ticket -= calls[i].weight;
    }
}

/* A line of constant length: process, number of the call, what it has returned or "?", what it is. */
static void note(unsigned long number, const char *name, const char *result) {
    char *line = trace + number % TRACE_LINES * TRACE_LINE, text[TRACE_LINE];
    int len = snprintf(text, sizeof text, "%6d %8lu %s %s(%s)", getpid(), number, result, name, detail);

    for (int i = 0; i < TRACE_LINE - 1; i++)
        line[i] = i >= len ? ' ' : text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    line[TRACE_LINE - 1] = '\n';
}

long call_some(void) {
    unsigned i = some_call();
    unsigned long number = __atomic_fetch_add(&counts->made, 1, __ATOMIC_RELAXED);
    char result[32];
    long r;

    detail[0] = '\0';
    note(number, calls[i].name, "?");
    errno = 0;
    r = calls[i].make();
    if (r >= 0)
        __atomic_fetch_add(&counts->succeeded[i], 1, __ATOMIC_RELAXED);
    snprintf(result, sizeof result, "%ld", r < 0 ? -(long)errno : r);
    note(number, calls[i].name, result);
    return r;
}

static void *share(size_t len, int fd) {
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

void calls_prepare(const char *mount, const char *trace_path) {
    int fd = open(trace_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, TRACE_LINES * TRACE_LINE) < 0)
        fail(trace_path);
    trace = share(TRACE_LINES * TRACE_LINE, fd);
    close(fd);
    counts = share(sizeof *counts, -1);
    mount_point = mount;
}

void calls_print(void) {
    printf(" calls %lu", counts->made);
    for (size_t i = 0; i < N_CALLS; i++)
        if (counts->succeeded[i] > 0)
            printf(" %s %lu", calls[i].name, counts->succeeded[i]);
}

void calls_begin(void) {
    buffer = malloc(BUFFER_BYTES);
    for (int i = 0; i < N_OPEN; i++)
        open_files[i].fd = -1;
    for (int i = 0; i < N_SETS; i++)
        sets[i] = epoll_create1(0);
    for (int i = 0; i < 4; i++)
        eventfds[i] = eventfd(0, EFD_NONBLOCK);
    watcher = inotify_init1(IN_NONBLOCK);
    if (pipe2(pipe_ends, O_NONBLOCK) < 0 || !buffer)
        fail("pipe2");
    syscall(SYS_io_setup, 8, &aio);
}

void calls_forget_ended(void) {
    for (int i = 0; i < N_CHILDREN; i++)
        if (children[i] > 0 && waitpid(children[i], NULL, WNOHANG) != 0)
            children[i] = 0;
}
