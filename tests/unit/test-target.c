/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may end whom, asked of the kernel; and what is opened for it. These run where the helper would. */
#include "descriptors.h"
#include "kernel/process.h"
#include "kernel/program.h"
#include "kernel/target.h"
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALICE 61001
#define BOB 61002

/* A process with these users, which sleeps; it has them when this returns. */
static pid_t start(uid_t real, uid_t effective, uid_t saved) {
    int ends[2];
    pid_t child;
    char byte;

    g_assert_cmpint(pipe(ends), ==, 0);
    child = fork();
    if (child == 0) {
        if (setresuid(real, effective, saved) < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static int end(pid_t child) {
    int status;

    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int open_pidfd(pid_t pid) {
    return syscall(SYS_pidfd_open, pid, 0);
}

static void test_who_may_signal(void) {
    static const struct {
        uid_t real, effective, saved; /* of the process */
        uid_t user;
        int expected;
    } rows[] = {
        { ALICE, ALICE, ALICE, ALICE, 0 },
        { ALICE, ALICE, ALICE, BOB, -EPERM },
        { ALICE, ALICE, ALICE, 0, 0 },
        { ALICE, 0, 0, ALICE, 0 },      /* started by the user, set-user-id */
        { 0, ALICE, ALICE, ALICE, 0 },  /* its saved one is his */
        { 0, ALICE, 0, ALICE, -EPERM }, /* root that goes by his name for a moment */
        { BOB, ALICE, BOB, ALICE, -EPERM },
        { 0, 0, 0, ALICE, -EPERM },
        { 0, 0, 0, 0, 0 },
        { ALICE, ALICE, ALICE, (uid_t)-1, -EPERM }, /* which would mean: as we are */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        pid_t child = start(rows[i].real, rows[i].effective, rows[i].saved);
        int pidfd = open_pidfd(child);
        uid_t real, effective, saved;

        CHECK(mn_process_signal_as(pidfd, rows[i].user, 0) == rows[i].expected, "%u", i);
        getresuid(&real, &effective, &saved);
        CHECK(real == 0 && effective == 0 && saved == 0, "%u", i);
        CHECK(mn_process_signal_as(pidfd, 0, 0) == 0, "%u: with our rights again", i);
        close(pidfd);
        end(child);
    }
}

/* Rights are those of the moment in which the signal is sent. */
static void test_who_has_become_another_is_left_alone(void) {
    int ends[2], pidfd;
    pid_t child;
    char byte;

    g_assert_cmpint(pipe(ends), ==, 0);
    child = fork();
    if (child == 0) {
        if (setresuid(ALICE, 0, 0) < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        raise(SIGSTOP);
        if (setresuid(0, 0, 0) < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
    waitpid(child, NULL, WUNTRACED);
    pidfd = open_pidfd(child);
    CU_ASSERT_EQUAL(mn_process_signal_as(pidfd, ALICE, 0), 0);
    kill(child, SIGCONT);
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
    CU_ASSERT_EQUAL(mn_process_signal_as(pidfd, ALICE, SIGTERM), -EPERM);
    CU_ASSERT_EQUAL(end(child), SIGKILL);
    close(pidfd);
    close(ends[0]);
    close(ends[1]);
}

static void test_both_users_need_the_right(void) {
    static const struct {
        uid_t opener, writer;
        int expected;
    } rows[] = {
        { ALICE, ALICE, 0 },    { 0, ALICE, 0 },        { ALICE, 0, 0 },    { 0, 0, 0 },
        { BOB, ALICE, -EPERM }, { ALICE, BOB, -EPERM }, { BOB, 0, -EPERM }, { 0, BOB, -EPERM },
    };
    pid_t child = start(ALICE, ALICE, ALICE);
    guint before = open_descriptors("");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const MnWriter writer = { rows[i].opener, rows[i].writer, getpid() };
        MnTarget target = { .pidfd = -1, .score_fd = -1 };
        int score = -1;

        CHECK(mn_target_open(child, &writer, TRUE, &target) == rows[i].expected, "%u", i);
        if (rows[i].expected == 0)
            CHECK(target.pid == child && mn_process_get_score(target.score_fd, &score) == 0 && score >= 0, "%u", i);
        mn_target_close(&target);
    }
    CU_ASSERT_EQUAL(open_descriptors(""), before);
    end(child);
}

/* The file is that process's, whoever gets its number. */
static void test_a_score_ends_with_its_process(void) {
    const MnWriter writer = { 0, 0, getpid() };
    pid_t child = start(ALICE, ALICE, ALICE);
    MnTarget target;
    int score;

    CU_ASSERT_EQUAL_FATAL(mn_target_open(child, &writer, TRUE, &target), 0);
    CU_ASSERT_EQUAL(mn_process_set_score(target.score_fd, 321), 0);
    CU_ASSERT_EQUAL(mn_process_get_score(target.score_fd, &score), 0);
    CU_ASSERT_EQUAL(score, 321);
    end(child);
    CU_ASSERT_EQUAL(mn_process_get_score(target.score_fd, &score), -ESRCH);
    CU_ASSERT_EQUAL(mn_process_set_score(target.score_fd, 1), -ESRCH);
    CU_ASSERT_EQUAL(mn_target_open(child, &writer, TRUE, &target), -ESRCH);
    mn_target_close(&target);
}

static void test_nobody_may_list_these(void) {
    const MnWriter writer = { 0, 0, getpid() };
    MnTarget target;

    CU_ASSERT_EQUAL(mn_target_open(1, &writer, FALSE, &target), -EPERM);
    CU_ASSERT_EQUAL(mn_target_open(getpid(), &writer, FALSE, &target), -EPERM);
    CU_ASSERT_EQUAL(mn_target_open(getppid(), &writer, FALSE, &target),
                    -EPERM); /* the daemon, if this were the helper */
}

static void test_a_program(void) {
    pid_t child = start(ALICE, ALICE, ALICE);
    MnProgram program, none;

    CU_ASSERT_EQUAL(mn_program_open(child, BOB, &none), -EPERM); /* it is not his any more */
    CU_ASSERT_EQUAL_FATAL(mn_program_open(child, ALICE, &program), 0);
    CU_ASSERT_EQUAL(mn_program_signal(&program, 0), 0);
    program.uid = BOB;
    CU_ASSERT_EQUAL(mn_program_signal(&program, SIGTERM), -EPERM);
    program.uid = ALICE;
    end(child);
    CU_ASSERT_EQUAL(mn_program_signal(&program, SIGTERM), -ESRCH);
    mn_program_close(&program);
}

static CU_TestInfo tests[] = {
    { "who may signal", test_who_may_signal },
    { "who has become another is left alone", test_who_has_become_another_is_left_alone },
    { "both users need the right", test_both_users_need_the_right },
    { "a score ends with its process", test_a_score_ends_with_its_process },
    { "nobody may list these", test_nobody_may_list_these },
    { "a program", test_a_program },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "target", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    if (getuid() != 0) {
        printf("only root has processes of several users\n0 passed, 0 failed, 1 skipped\n");
        return 77;
    }
    return run_suites(suites);
}
