/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzzer MOUNT SEED SECONDS TRACE: random calls on random files of MOUNT, as whoever starts it; nothing outside of MOUNT
 * is touched. It has one life after the other: a child, which makes calls by its own seed until it is killed, with its
 * children, wherever they are then. The parent never touches the mount, so that it can tell who does not end: that is
 * a finding, and exit status 1. What calls return is not judged.
 *
 * The last calls of this life are the lines of TRACE, a ring that outlives whoever writes it; in the end one line on
 * stdout says how many calls there were, and how many of each succeeded. */
#include "attacker.h"
#include "fuzzer_calls.h"
#include "fuzzer_text.h"

#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define LIFE_MS_MAX 2000
#define END_S 30     /* after a SIGKILL, on a machine that is busy */
#define CALL_US 5000 /* after which a call that waits is interrupted */
#define CRASHED 99   /* the exit status of a life that is at fault itself */

/* ---- a life ---------------------------------------------------------------------------------------------------- */

/* Whatever signal the daemon was asked for, only SIGKILL and SIGSTOP end a life, and its own faults. */
static void on_signal(int number, siginfo_t *info, void *context) {
    (void)context;
    if ((number == SIGBUS || number == SIGSEGV) && info->si_code > 0) {
        calls_leave_page();
        _exit(CRASHED);
    }
}

static void handle_signals(void) {
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    struct itimerval timer = { { 0, CALL_US }, { 0, CALL_US } };
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        sigaction(number, &action, NULL); /* some it may not */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static _Noreturn void live(uint64_t seed) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO); /* which ends with the parent */
    chance_begin(seed);
    calls_begin();
    handle_signals();

    for (;;) {
        call_some();
        calls_forget_ended();
    }
}

/* ---- the parent ------------------------------------------------------------------------------------------------ */

static double now_s(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Waits for a child to end. */
static void await_child(double seconds) {
    struct timespec time = { .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (time_t)seconds) * 1e9) };
    sigset_t ended;

    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigtimedwait(&ended, NULL, &time);
}

/* Waits for all that a life has left, and says if one does not end or has crashed. */
static int reap_all(void) {
    double end = now_s() + END_S;
    int status, is_well = 1;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) >= 0) {
        if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
            printf("process %d ends with %d\n", pid, WEXITSTATUS(status));
            is_well = 0;
        }
        if (pid == 0 && now_s() > end) {
            printf("a process does not end after SIGKILL\n");
            return 0;
        }
        if (pid == 0)
            await_child(1);
    }
    return is_well;
}

static int run_life(uint64_t seed) {
    pid_t pid;

    chance_begin(seed);
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        live(seed);
    setpgid(pid, pid); /* whoever comes first */
    await_child((100 + chance(LIFE_MS_MAX)) / 1000.);
    kill(-pid, SIGKILL);
    return reap_all();
}

static void prepare(void) {
    struct rlimit none = { 0, 0 };
    sigset_t ended;

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
}

int main(int argc, char **argv) {
    uint64_t seed, n_lives = 0;
    int is_well = 1;
    double end;

    demand_arguments(argc, 4, "fuzzer MOUNT SEED SECONDS TRACE");
    seed = strtoull(argv[2], NULL, 10);
    end = now_s() + strtod(argv[3], NULL);
    prepare();
    calls_prepare(argv[1], argv[4]);
    while (is_well && now_s() < end)
        is_well = run_life(seed * 1000003 + n_lives++);
    calls_print();
    printf(" lives %lu\n", (unsigned long)n_lives);
    return !is_well;
}
