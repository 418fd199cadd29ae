/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors that a program is started with. Each row is a child that has some. */
#include "kernel/inheritance.h"
#include "runner.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_MAX 300

/* As on a kernel that does not have close_range(2). */
static gboolean forbid_close_range(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = G_N_ELEMENTS(filter), .filter = filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
           syscall(SYS_close_range, 3, 3, 0) < 0;
}

static gboolean is_null(int fd) {
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_rdev == makedev(1, 3);
}

/* What is left after it was called with the pipe at `kept`, and all from `first` to FD_MAX open. */
static int judge(int first, guint n_handed, int kept, gboolean has_close_range) {
    int ends[2];

    if (pipe(ends) < 0 || (!has_close_range && !forbid_close_range()))
        return 1;
    for (int fd = 0; fd < FD_MAX; fd++)
        if (fd < first)
            close(fd);
        else
            dup2(ends[0], fd);
    if (mn_inheritance_drop(n_handed, kept) != 0)
        return 2;

    for (int fd = 0; fd < 3; fd++)
        if (fd < first ? !is_null(fd) : is_null(fd) || fcntl(fd, F_GETFD) != (fd == kept ? FD_CLOEXEC : 0))
            return 3;
    for (int fd = 3; fd < FD_MAX; fd++)
        if (fcntl(fd, F_GETFD) != (fd == kept ? FD_CLOEXEC : fd < 3 + (int)n_handed ? 0 : -1))
            return 4;
    return 0;
}

static void test_what_is_left(void) {
    static const struct {
        int first; /* that is open */
        guint n_handed;
        int kept;
    } rows[] = {
        { 0, 0, -1 }, { 0, 0, 3 },  { 0, 0, 4 }, { 0, 0, FD_MAX - 1 }, { 0, 0, 0 }, { 0, 0, 2 },  { 1, 0, -1 },
        { 2, 0, 7 },  { 3, 0, -1 }, { 3, 0, 3 }, { 0, 2, -1 },         { 0, 2, 9 }, { 3, 1, -1 }, { 0, 2, 4 },
    };

    for (guint i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        gboolean has_close_range = i % 2 == 0;
        int first = rows[i / 2].first, kept = rows[i / 2].kept, status = -1;
        guint n_handed = rows[i / 2].n_handed;
        pid_t child = fork();

        if (child == 0)
            _exit(judge(first, n_handed, kept, has_close_range));
        CHECK(waitpid(child, &status, 0) == child && status == 0, "from %d, but %d%s: %d", first, kept,
              has_close_range ? "" : ", without close_range", WEXITSTATUS(status));
    }
}

static void test_a_number_that_is_not_open(void) {
    static const int kept[] = { 299, G_MAXINT - 1, G_MAXINT };

    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0)
            _exit(mn_inheritance_drop(0, kept[i]) != 0 || fcntl(3, F_GETFD) >= 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        CHECK(waitpid(child, &status, 0) == child && status == 0, "%d: %d", kept[i], WEXITSTATUS(status));
    }
}

static CU_TestInfo tests[] = {
    { "what is left", test_what_is_left },
    { "a number that is not open", test_a_number_that_is_not_open },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "inheritance", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
