/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of processes of a pid namespace below ours, asked of the kernel and found by a look at all. */
#include "kernel/namespace.h"
#include "runner.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct { pid_t init, other; /* 1 and 2 in there; our numbers */ } container;

static G_NORETURN void be_init(int socket) {
    pid_t other = fork();

    if (other == 0)
        for (;;)
            pause();
    if (write(socket, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* The only child of a process. */
static pid_t find_child(pid_t pid) {
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", pid, pid), *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? atoi(text) : 0;
}

static int start_container(void) {
    int ends[2];
    pid_t maker;
    char byte;

    g_assert_cmpint(pipe(ends), ==, 0);
    maker = fork();
    if (maker == 0) {
        if (unshare(CLONE_NEWPID) < 0)
            _exit(77);
        if (fork() == 0)
            be_init(ends[1]);
        close(ends[1]);
        pause();
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) == 1)
        container.init = find_child(maker);
    container.other = find_child(container.init);
    close(ends[0]);
    return container.init > 0 ? maker : 0;
}

typedef int (*Translate)(pid_t tid, pid_t *pids, guint n);

static const Translate ways[] = { mn_namespace_translate, mn_namespace_translate_by_scan };

static void test_numbers_of_a_namespace(void) {
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        pid_t pids[] = { 2, 99, 1, container.init };

        CHECK(ways[i](container.other, pids, G_N_ELEMENTS(pids)) == 0, "%u", i);
        CHECK(pids[0] == container.other && pids[1] == 0 && pids[2] == container.init && pids[3] == 0,
              "%u: %d %d %d %d", i, pids[0], pids[1], pids[2], pids[3]);
    }
}

static void test_our_own_stay(void) {
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        pid_t pids[] = { 2, 1, G_MAXINT32 };

        CHECK(ways[i](getpid(), pids, G_N_ELEMENTS(pids)) == 0, "%u", i);
        CHECK(pids[0] == 2 && pids[1] == 1 && pids[2] == G_MAXINT32, "%u", i);
    }
}

static void test_who_cannot_be_seen(void) {
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        pid_t pid = 2;

        CHECK(ways[i](0, &pid, 1) == -EPERM, "%u", i);
        CHECK(ways[i](G_MAXINT32, &pid, 1) == -EPERM, "%u", i);
        CHECK(pid == 2, "%u", i);
    }
}

static CU_TestInfo tests[] = {
    { "numbers of a namespace", test_numbers_of_a_namespace },
    { "our own stay", test_our_own_stay },
    { "who cannot be seen", test_who_cannot_be_seen },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "namespace", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
    pid_t maker = start_container();
    int status;

    if (maker == 0) {
        printf("no pid namespace can be made here\n0 passed, 0 failed, 1 skipped\n");
        return 77;
    }
    status = run_suites(suites);
    kill(container.init, SIGKILL); /* and with it all that is in there */
    kill(maker, SIGKILL);
    waitpid(maker, NULL, 0);
    return status;
}
