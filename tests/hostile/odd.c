/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that end, give up rights or bound themselves in ways in which a second thread could be in the way: odd WAY. Each
 * does one thing when a line has come on its standard input, says "done", and ends with its standard input, with status 0
 * if all has come as it should. */
#include <dlfcn.h>
#include <err.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_line(void) {
    char byte;

    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        ;
}

static void say_done(void) {
    if (write(STDOUT_FILENO, "done\n", 5) != 5)
        err(1, "cannot write");
}

/* --- endings ------------------------------------------------------------------------------------- */

static void *wait_in_thread(void *nothing) {
    wait_line();
    return nothing;
}

/* It ends when the last of its threads has, with status 0. */
static void end_main_thread(void) {
    pthread_t thread;

    if (pthread_create(&thread, NULL, wait_in_thread, NULL) != 0)
        errx(1, "cannot start a thread");
    say_done();
    pthread_exit(NULL);
}

static void end_in_handler(int number) {
    (void)number;
    _exit(0);
}

static void end_by_alarm(void) {
    signal(SIGALRM, end_in_handler);
    say_done();
    alarm(1);
    for (;;)
        free(malloc(100));
}

/* --- rights -------------------------------------------------------------------------------------- */

/* As a program does that knows to have one thread: what is not read, write or exit kills it. */
static void enter_strict(void) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
        err(1, "cannot enter the strict mode");
    say_done();
    wait_line();
    syscall(SYS_exit, 0);
}

/* A filter for all threads, as of a program with several: no sockets, or it is killed. */
static void filter_all_threads(void) {
    static struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { .len = sizeof rules / sizeof *rules, .filter = rules };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        err(1, "cannot set the filter");
    say_done();
    wait_line();
}

static void change_root(void) {
    if (chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0 || setgid(54321) < 0 || setuid(54321) < 0)
        err(1, "cannot change the root");
    say_done();
    wait_line();
    if (setuid(0) == 0)
        errx(1, "is root again");
}

/* Of a library that is loaded: see slow_start.c, which does it. */
static void load_slow_library(void) {
    static void *library;

    say_done();
    library = dlopen("libslow_start.so", RTLD_NOW);
    if (!library)
        errx(1, "cannot load: %s", dlerror());
    say_done();
    wait_line();
}

static void change_group(void) {
    gid_t group = 7;

    if (setgroups(1, &group) < 0 || setegid(7) < 0)
        err(1, "cannot change the group");
    say_done();
    wait_line();
}

/* --- bounds -------------------------------------------------------------------------------------- */

/* Half of the address space that is left at the start is for its own memory: it has a right to it. */
static void fill_address_space(void) {
    static void *memory;

    say_done();
    wait_line();
    memory = mmap(NULL, 100 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        err(1, "cannot have 100 MiB");
}

static void lock_all(void) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        err(1, "cannot lock");
    say_done();
    wait_line();
}

static void fork_in_vain(void) {
    struct rlimit none = { 0, 0 };

    if (setgid(54321) < 0 || setuid(54321) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0)
        err(1, "cannot be another user with no process");
    say_done();
    wait_line();
    if (setuid(54321) < 0)
        err(1, "cannot stay who it is");
}

static void be(void) {
    say_done();
    wait_line();
}

/* As servers do that write their titles where it was. */
__attribute__((constructor)) static void forget_environment(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "no-environment") == 0)
        clearenv();
}

static const struct {
    const char *name;
    void (*function)(void);
} ways[] = {
    { "be", be },
    { "no-environment", be },
    { "slow-library", load_slow_library },
    { "group", change_group },
    { "main-thread-ends", end_main_thread },
    { "alarm", end_by_alarm },
    { "strict", enter_strict },
    { "filter", filter_all_threads },
    { "chroot", change_root },
    { "address-space", fill_address_space },
    { "mlockall", lock_all },
    { "no-process", fork_in_vain },
};

int main(int argc, char **argv) {
    for (size_t i = 0; argc == 2 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(argv[1], ways[i].name) == 0) {
            wait_line();
            ways[i].function();
            return 0;
        }
    errx(2, "usage: odd WAY");
}
