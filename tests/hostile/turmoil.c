/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that does all at once what a library that is preloaded into it could be in the way of: turmoil THREADS SEED. Each
 * thread allocates, frees, forks, loads and unloads a library, changes its group, and starts threads. What it forks does
 * some of that as well and ends at any moment and in any way. The first thread says a line whenever all of the others have
 * gone on; it ends with its standard input.
 *
 * With 0 threads the first does all of it itself, and a child may do what it may in a program without threads: load, and
 * end by exit(3). Where there are others these may have had the C library's locks, which a child finds locked for ever. */
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HELD 2000
#define THREADS_MAX 64
#define FAILED 3 /* the exit status of a child to which something has happened that should not */

typedef struct Worker {
    pthread_t thread;
    unsigned random;
    char *held[HELD];
    size_t sizes[HELD];
    atomic_ulong n_done;
} Worker;

static Worker workers[THREADS_MAX];
static bool has_threads;

/* A linear congruential generator, since rand() has a lock. */
static unsigned choose(Worker *self, unsigned n) {
    self->random = self->random * 1664525 + 1013904223;
    return (self->random >> 8) % n;
}

/* --- memory: what is held is marked by its place, and has to be what it was when it is freed --- */

static void replace(Worker *self, size_t i, size_t bytes) {
    char mark = (char)i;

    if (self->held[i] && (self->held[i][0] != mark || self->held[i][self->sizes[i] - 1] != mark))
        errx(FAILED, "memory has changed");
    self->held[i] = realloc(self->held[i], bytes);
    if (!self->held[i])
        err(FAILED, "cannot allocate");
    self->sizes[i] = bytes;
    self->held[i][0] = self->held[i][bytes - 1] = mark;
}

static void allocate(Worker *self, unsigned n) {
    for (unsigned k = 0; k < n; k++) {
        size_t i = choose(self, HELD), bytes = choose(self, 100) == 0 ? 200000 : 1500;

        if (choose(self, 2) == 0)
            replace(self, i, 1 + choose(self, (unsigned)bytes));
        else if (self->held[i]) {
            free(self->held[i]);
            self->held[i] = NULL;
        }
    }
}

/* --- the rest ------------------------------------------------------------------------------------ */

static void load(void) {
    void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL), *other = dlopen("libutil.so.1", RTLD_LAZY);

    if (!library || !dlsym(library, "cbrt"))
        errx(FAILED, "cannot load: %s", dlerror());
    dlclose(library);
    if (other)
        dlclose(other);
}

static void change_group(Worker *self) {
    gid_t group = choose(self, 100);
    int r = choose(self, 2) ? setegid(getegid()) : setgroups(1, &group);

    if (r < 0 && errno != EPERM)
        err(FAILED, "cannot change the group");
}

static void *allocate_in_thread(void *data) {
    Worker self = { .random = (unsigned)(size_t)data };

    allocate(&self, 200);
    for (size_t i = 0; i < HELD; i++)
        free(self.held[i]);
    return NULL;
}

static void start_thread(Worker *self) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, allocate_in_thread, (void *)(size_t)choose(self, 1U << 20)) != 0)
        errx(FAILED, "cannot start a thread");
    pthread_join(thread, NULL);
}

static void end_in_handler(int number) {
    _exit(number == SIGUSR1 ? 0 : FAILED);
}

__attribute__((noreturn)) static void end_somehow(Worker *self) {
    char *const arguments[] = { "true", NULL };

    switch (choose(self, 5)) {
    case 0:
        if (!has_threads)
            exit(0);
        break;
    case 1:
        signal(SIGUSR1, end_in_handler);
        raise(SIGUSR1);
        break;
    case 2:
        execvp(*arguments, arguments);
        break;
    case 3:
        raise(SIGKILL);
        break;
    default:
        break;
    }
    _exit(0);
}

static void be_child(Worker *self) {
    struct timespec moment = { .tv_nsec = choose(self, 3000000) };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    allocate(self, 300);
    if (!has_threads)
        load();
    if (choose(self, 2))
        change_group(self);
    if (choose(self, 2))
        start_thread(self);
    if (choose(self, 3) == 0)
        nanosleep(&moment, NULL);
    if (choose(self, 3) == 0 && fork() == 0)
        allocate(self, 100);
    end_somehow(self);
}

static void wait_for(pid_t pid) {
    int status;

    if (pid < 0)
        err(FAILED, "cannot fork");
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(FAILED, "cannot wait");
    if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL : WEXITSTATUS(status) != 0)
        errx(FAILED, "a child has ended with %#x", (unsigned)status);
}

static void fork_child(Worker *self) {
    pid_t pid = fork();

    if (pid == 0)
        be_child(self);
    wait_for(pid);
}

static void spawn(void) {
    char *arguments[] = { "true", NULL }, *none[] = { NULL };
    pid_t pid;

    if (posix_spawnp(&pid, *arguments, NULL, NULL, arguments, none) != 0)
        errx(FAILED, "cannot spawn");
    wait_for(pid);
}

static void do_something(Worker *self) {
    allocate(self, 500);
    switch (choose(self, 8)) {
    case 0:
        fork_child(self);
        break;
    case 1:
        load();
        break;
    case 2:
        change_group(self);
        break;
    case 3:
        start_thread(self);
        break;
    case 4:
        spawn();
        break;
    default:
        break;
    }
    self->n_done++;
}

static void *work(void *data) {
    for (;;)
        do_something(data);
    return NULL;
}

/* --- the first thread ---------------------------------------------------------------------------- */

static bool has_ended(int timeout_ms) {
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&input, 1, timeout_ms) > 0;
}

static bool have_all_gone_on(int n_threads) {
    static unsigned long before[THREADS_MAX];

    for (int i = 0; i < n_threads; i++)
        if (workers[i].n_done == before[i])
            return false;
    for (int i = 0; i < n_threads; i++)
        before[i] = workers[i].n_done;
    return true;
}

static void say_it(void) {
    if (puts("all have gone on") == EOF || fflush(stdout) == EOF)
        err(FAILED, "cannot write");
}

int main(int argc, char **argv) {
    int n_threads = argc == 3 ? (int)strtol(argv[1], NULL, 10) : -1;
    unsigned seed = n_threads >= 0 ? (unsigned)strtoul(argv[2], NULL, 10) * THREADS_MAX : 0;

    if (n_threads < 0 || n_threads > THREADS_MAX)
        errx(2, "usage: turmoil THREADS SEED");
    has_threads = n_threads > 0;
    for (int i = 0; i < n_threads; i++) {
        workers[i].random = seed + (unsigned)i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            errx(FAILED, "cannot start a thread");
    }
    if (!has_threads)
        workers[0].random = seed;
    while (!has_ended(has_threads ? 20 : 0)) {
        if (!has_threads)
            do_something(&workers[0]);
        if (have_all_gone_on(n_threads))
            say_it();
    }
    exit(0);
}
