/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens inside the machines of tests/vm: programs that take memory and programs that wait for word of it.
 *
 *   strain fill [-n NODE] [-p MS] [-w FILE] MIB [FILE[=LIMITS]...]
 *       takes up to MIB MiB, 64 KiB at a time, and stops when it was told by all files, each of which is polled by a
 *       thread of its own; says who told it, when and why. -n: from this node only. -p: rests so long each
 *       time (2 ms: 30 MiB/s at most), and four times as long once it was told by one. -w: meanwhile works with FILE,
 *       which it has mapped, as programs do with their code.
 *   strain cache MIB [FILE[=LIMITS]]
 *       a client with a cache of MIB MiB. Each time the file tells it, it gives back a quarter of it. Stays until it is
 *       killed or has nothing more to give.
 *   strain herd N SECONDS FILE MIB
 *       opens FILE N times, waits in one epoll set, and meanwhile takes MIB MiB and goes round in them, so that
 *       reclaim goes on. Prints "MILLISECOND INDEX" for each that was told, until that were N, or SECONDS are over.
 *   strain signal FILE
 *       asks for SIGUSR1, and says when it came.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024UL
#define MIB (1024 * KIB)
#define STEP (64 * KIB)
#define PAGE 4096UL
#define MPOL_BIND 2

static _Noreturn void die(const char *what) {
    fprintf(stderr, "strain: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static long long now_ms(void) {
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void sleep_ms(long ms) {
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&time, NULL);
}

/* A line at once and in one piece. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[512];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(STDOUT_FILENO, line, len) < 0)
        exit(EXIT_FAILURE);
}

static char *map_pages(size_t size) {
    char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (start == MAP_FAILED)
        die("cannot map memory");
    madvise(start, size, MADV_NOHUGEPAGE);
    return start;
}

/* A part of each page is noise, so that zram has to work for it. */
static void touch(char *start, size_t size) {
    for (size_t page = 0; page < size; page += PAGE)
        for (size_t i = 0; i < PAGE / 4; i += sizeof(int))
            *(int *)(start + page + i) = rand();
}

static int open_file(const char *path, const char *limits) {
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        die(path);
    if (limits && write(fd, limits, strlen(limits)) < 0)
        die(limits);
    return fd;
}

/* ---- fill ---- */

typedef struct Waiter {
    char *path;
    int fd;
    pthread_t thread;
} Waiter;

static atomic_size_t taken;
static atomic_int n_told;

static void *wait_for_word(void *data) {
    Waiter *self = data;
    struct pollfd fd = { self->fd, POLLIN, 0 };
    char reason[256];
    ssize_t len;

    if (poll(&fd, 1, -1) != 1 || fd.revents != POLLIN)
        die("poll");
    len = read(self->fd, reason, sizeof reason - 1);
    reason[len > 0 ? len : 0] = '\0';
    say("told by %s after %zu MiB: %s", strrchr(self->path, '/') + 1, taken / MIB, reason);
    n_told++;
    return NULL;
}

static void start_waiter(Waiter *self, char *argument) {
    char *limits = strchr(argument, '=');

    if (limits)
        *limits++ = '\0';
    self->path = argument;
    self->fd = open_file(argument, limits);
    if (pthread_create(&self->thread, NULL, wait_for_word, self) != 0)
        die("cannot start a thread");
}

static void bind_to_node(int node) {
    unsigned long mask = 1UL << node;

    if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, sizeof mask * 8) < 0)
        die("cannot bind to the node");
}

static atomic_int is_over;

/* Reads a mapped file, a page at a time, round and round. */
static void *work_with(void *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = fd < 0 ? 0 : (size_t)lseek(fd, 0, SEEK_END);
    volatile const char *text;

    if (size == 0)
        die(path);
    text = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (text == MAP_FAILED)
        die(path);
    madvise((void *)text, size, MADV_RANDOM);
    while (!is_over)
        for (size_t at = 0; at < size && !is_over; at += PAGE) {
            (void)text[at];
            if (at % STEP == 0)
                sleep_ms(1);
        }
    return NULL;
}

static int fill(int argc, char **argv) {
    pthread_t worker;
    int works = 0, rest_ms = 2, told_rest_ms = 2, option, n_files;
    size_t most;
    char *memory;

    while ((option = getopt(argc, argv, "n:p:w:")) != -1) {
        if (option == 'n')
            bind_to_node(atoi(optarg));
        else if (option == 'p')
            told_rest_ms = 4 * (rest_ms = atoi(optarg));
        else if (option == 'w')
            works = pthread_create(&worker, NULL, work_with, optarg) == 0;
        else
            return 2;
    }
    if (optind >= argc)
        return 2;
    most = strtoul(argv[optind++], NULL, 10) * MIB;
    n_files = argc - optind;

    Waiter *waiters = calloc(n_files + 1, sizeof *waiters);
    if (!waiters)
        die("cannot start threads");
    for (int i = 0; i < n_files; i++)
        start_waiter(&waiters[i], argv[optind + i]);

    memory = map_pages(most);
    while (taken < most && (n_files == 0 || n_told < n_files)) {
        touch(memory + taken, STEP);
        taken += STEP;
        sleep_ms(n_told > 0 ? told_rest_ms : rest_ms);
    }
    say("stopped after %zu MiB\n", taken / MIB);
    is_over = 1;
    if (works)
        pthread_join(worker, NULL);
    return n_told == n_files ? 0 : 1;
}

/* ---- cache ---- */

static int cache(int argc, char **argv) {
    size_t size = strtoul(argv[1], NULL, 10) * MIB, part = size / 4, left = size;
    struct pollfd fd = { -1, POLLIN, 0 };
    char *memory, *limits, reason[256];

    /* Who is to give memory back must not have to wait for his own code to be read again. */
    mlockall(MCL_CURRENT);
    memory = map_pages(size);

    if (argc > 2) {
        limits = strchr(argv[2], '=');
        if (limits)
            *limits++ = '\0';
        fd.fd = open_file(argv[2], limits);
    }
    touch(memory, size);
    say("ready\n");

    while (left > 0) {
        if (poll(&fd, fd.fd >= 0, -1) <= 0)
            pause();
        if (read(fd.fd, reason, sizeof reason) < 0)
            die("read");
        left -= part;
        madvise(memory + left, part, MADV_DONTNEED);
        say("gave back %zu MiB, %zu left\n", part / MIB, left / MIB);
        sleep_ms(20); /* what a client may need until it looks again */
    }
    return 0;
}

/* ---- herd ---- */

static void *go_round(void *data) {
    size_t size = *(size_t *)data;
    char *memory = map_pages(size);

    while (!is_over)
        for (size_t at = 0; at < size && !is_over; at += STEP)
            touch(memory + at, STEP);
    return NULL;
}

static int herd(int argc, char **argv) {
    int n = atoi(argv[1]), left = n, set = epoll_create1(0);
    long long start, end;
    size_t size = argc > 4 ? strtoul(argv[4], NULL, 10) * MIB : 0;
    pthread_t thread;

    for (int i = 0; i < n; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = i };

        if (epoll_ctl(set, EPOLL_CTL_ADD, open_file(argv[3], NULL), &event) < 0)
            die("epoll_ctl");
    }
    /* Who measures is not to wait for memory himself. */
    mlockall(MCL_CURRENT);
    say("ready\n");

    start = now_ms();
    end = start + 1000LL * atoi(argv[2]);
    pthread_create(&thread, NULL, go_round, &size);
    while (left > 0 && now_ms() < end) {
        struct epoll_event events[256];
        int n_events = epoll_wait(set, events, 256, (int)(end - now_ms()));
        long long when = now_ms() - start;

        left -= n_events > 0 ? n_events : 0;
        for (int i = 0; i < n_events; i++)
            say("%lld %d\n", when, events[i].data.fd);
    }
    is_over = 1;
    pthread_join(thread, NULL);
    return 0;
}

/* ---- signal ---- */

static int wait_for_signal(char **argv) {
    static const char request[] = "signal SIGUSR1\n";
    int fd = open_file(argv[1], NULL), number;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (write(fd, request, strlen(request)) < 0)
        die("cannot ask for a signal");
    say("ready\n");
    sigwait(&set, &number);
    say("signalled by %s\n", strrchr(argv[1], '/') + 1);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "fill") == 0)
        return fill(argc - 1, argv + 1);
    if (argc >= 3 && strcmp(argv[1], "cache") == 0)
        return cache(argc - 1, argv + 1);
    if (argc >= 5 && strcmp(argv[1], "herd") == 0)
        return herd(argc - 1, argv + 1);
    if (argc >= 3 && strcmp(argv[1], "signal") == 0)
        return wait_for_signal(argv + 1);
    fputs("usage: strain fill|cache|herd|signal ARGUMENTS, see strain.c\n", stderr);
    return 2;
}
