/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that end, of which each is told once. */
#include "kernel/ends.h"
#include "kernel/process.h"
#include "runner.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 100
#define AT_ONCE 64

typedef struct Process {
    pid_t pid;
    int pidfd;
    guint n_ended;
} Process;

static MnEnds *ends;
static Process processes[N];
static guint n_ended;

static void remove_one(Process *process) {
    mn_ends_remove(ends, process->pidfd, process);
    close(process->pidfd);
    process->pidfd = -1;
}

static void on_ended(gpointer process, gpointer data) {
    g_assert_true(data == &n_ended);
    ((Process *)process)->n_ended++;
    n_ended++;
}

/* Takes the next one along, which has ended as well. */
static void on_ended_together(gpointer process, gpointer data) {
    Process *next = (Process *)process + 1;

    on_ended(process, data);
    if (next->pidfd >= 0)
        remove_one(next);
}

static void set_up(void) {
    n_ended = 0;
    g_assert_cmpint(mn_ends_new(on_ended, NULL, &n_ended, &ends), ==, 0);
    for (guint i = 0; i < N; i++) {
        Process *process = &processes[i];

        process->n_ended = 0;
        process->pid = fork();
        if (process->pid == 0) {
            pause();
            _exit(0);
        }
        g_assert_cmpint(mn_process_open(process->pid, &process->pidfd), ==, 0);
        g_assert_cmpint(mn_ends_add(ends, process->pidfd, process), ==, 0);
    }
}

static void kill_one(Process *process) {
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    process->pid = 0;
}

static void tear_down(void) {
    for (guint i = 0; i < N; i++) {
        if (processes[i].pidfd >= 0)
            remove_one(&processes[i]);
        kill_one(&processes[i]);
    }
    mn_ends_free(ends);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

static void test_who_has_ended(void) {
    kill_one(&processes[3]);
    kill_one(&processes[5]);
    while (n_ended < 2)
        g_main_context_iteration(NULL, TRUE);
    for (guint i = 0; i < N; i++)
        CHECK(processes[i].n_ended == (i == 3 || i == 5), "%u", i);
    mn_ends_look(ends); /* once is enough */
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    CU_ASSERT_EQUAL(n_ended, 2);
}

static void test_who_was_removed_is_not_told(void) {
    remove_one(&processes[0]);
    kill_one(&processes[0]);
    kill_one(&processes[1]);
    mn_ends_look(ends);
    CU_ASSERT_EQUAL(n_ended, 1);
    CU_ASSERT_EQUAL(processes[1].n_ended, 1);
}

static void test_one_that_is_removed_while_another_is_told(void) {
    mn_ends_free(ends);
    g_assert_cmpint(mn_ends_new(on_ended_together, NULL, &n_ended, &ends), ==, 0);
    for (guint i = 0; i < 2; i++) {
        g_assert_cmpint(mn_ends_add(ends, processes[i].pidfd, &processes[i]), ==, 0);
        kill_one(&processes[i]);
    }
    for (guint i = 2; i < N; i++) {
        close(processes[i].pidfd);
        processes[i].pidfd = -1;
    }
    mn_ends_look(ends);
    CU_ASSERT_EQUAL(n_ended, 1);
}

/* Others have their turn, too. */
static void test_very_many_at_once(void) {
    for (guint i = 0; i < N; i++)
        kill_one(&processes[i]);
    while (n_ended == 0)
        g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(n_ended, AT_ONCE);
    mn_ends_look(ends);
    CU_ASSERT_EQUAL(n_ended, N);
}

static CU_TestInfo tests[] = {
    { "who has ended", test_who_has_ended },
    { "who was removed is not told", test_who_was_removed_is_not_told },
    { "one that is removed while another is told", test_one_that_is_removed_while_another_is_told },
    { "very many at once", test_very_many_at_once },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "ends", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
