/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is looked at for whom, and as whom. These run where the helper would. */
#include "descriptors.h"
#include "kernel/identity.h"
#include "kernel/process.h"
#include "kernel/ranker.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALICE 61001
#define BOB 61002

static gboolean may_open(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A file of this user that nobody else may read; to be freed. */
static char *make_file(uid_t uid, gid_t gid, mode_t mode) {
    char *path = g_strdup("/tmp/test-view.XXXXXX");
    int fd = g_mkstemp(path);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
    CU_ASSERT_EQUAL(fchown(fd, uid, gid), 0);
    close(fd);
    return path;
}

static void remove_file(char *path) {
    unlink(path);
    g_free(path);
}

static void test_files_are_opened_as_the_user(void) {
    char *alices = make_file(ALICE, 0, 0600), *bobs = make_file(BOB, 0, 0600), *groups = make_file(0, BOB, 0640);
    const gid_t others[] = { BOB };
    uid_t real, effective, saved;
    MnIdentity identity;

    CU_ASSERT_EQUAL(setgroups(1, others), 0);
    CU_ASSERT_EQUAL_FATAL(mn_identity_take(ALICE, ALICE, &identity), 0);
    CU_ASSERT_TRUE(may_open(alices));
    CU_ASSERT_FALSE(may_open(bobs));
    CU_ASSERT_FALSE(may_open(groups)); /* of which she is no member */
    getresuid(&real, &effective, &saved);
    CU_ASSERT_TRUE(real == 0 && effective == 0 && saved == 0); /* who might signal us is who we are */
    mn_identity_return(&identity);

    CU_ASSERT_TRUE(may_open(alices) && may_open(bobs) && may_open(groups));
    CU_ASSERT_EQUAL(getgroups(0, NULL), 1);
    CU_ASSERT_EQUAL(setgroups(0, NULL), 0); /* with all rights again */
    remove_file(alices);
    remove_file(bobs);
    remove_file(groups);
}

static void test_who_can_be_acted_as(void) {
    static const struct {
        uid_t uid;
        gid_t gid;
        int expected; /* of ALICE, who runs the helper */
    } rows[] = { { ALICE, ALICE, 0 },
                 { ALICE, BOB, 0 },
                 { 0, 0, 0 }, /* whoever that is may see what we see */
                 { BOB, BOB, -EPERM },
                 { (uid_t)-1, ALICE, -EPERM },
                 { ALICE, (gid_t)-1, -EPERM } };
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (setresgid(ALICE, ALICE, ALICE) < 0 || setresuid(ALICE, ALICE, ALICE) < 0)
            _exit(99);
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
            MnIdentity identity;
            int r = mn_identity_take(rows[i].uid, rows[i].gid, &identity);

            if (r == 0)
                mn_identity_return(&identity);
            if (r != rows[i].expected)
                _exit(i + 1);
        }
        _exit(0);
    }
    waitpid(child, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
}

static void test_whose_view_is_whose(void) {
    const struct {
        MnViewer viewer;
        int expected;
        uid_t uid;
    } rows[] = {
        { { 0, 0, getpid(), TRUE }, 0, (uid_t)-1 },         { { 0, 0, 0, TRUE }, 0, (uid_t)-1 },
        { { ALICE, ALICE, getpid(), TRUE }, 0, (uid_t)-1 }, /* the owner of the mount */
        { { ALICE, ALICE, getpid(), FALSE }, 0, ALICE },    { { ALICE, ALICE, 0, FALSE }, -EPERM, 0 },
        { { ALICE, ALICE, G_MAXINT32, FALSE }, -ESRCH, 0 }, { { 0, 0, G_MAXINT32, TRUE }, -ESRCH, 0 },
    };
    guint before = open_descriptors("");
    struct stat st;

    CU_ASSERT_EQUAL(stat("/proc", &st), 0);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnView view = { .proc_fd = -1 };
        int r = mn_view_open(&rows[i].viewer, &view);

        CHECK(r == rows[i].expected, "%u: %d", i, r);
        if (r == 0)
            CHECK(view.uid == rows[i].uid && view.device == st.st_dev && mn_view_is_same(&view, &view), "%u", i);
        mn_view_close(&view);
    }
    CU_ASSERT_EQUAL(open_descriptors(""), before);
}

static gboolean has_pid(const GArray *candidates, pid_t pid) {
    for (guint i = 0; i < candidates->len; i++)
        if (g_array_index(candidates, MnCandidate, i).pid == pid)
            return TRUE;
    return FALSE;
}

static void test_a_ranking_is_whole_or_an_error(void) {
    MnView view;
    GArray *candidates = NULL;
    struct rlimit limit, tight;
    pid_t child = fork();
    guint before;

    if (child == 0)
        for (;;)
            pause();
    CU_ASSERT_EQUAL_FATAL(mn_view_open(&(MnViewer){ 0, 0, getpid(), TRUE }, &view), 0);
    before = open_descriptors("");
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int more = 1; more <= 2; more++) { /* there is none for a directory; there is one for that */
        tight = (struct rlimit){ view.proc_fd + more, limit.rlim_max };
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &tight), 0);
        CHECK(mn_ranker_rank(&view, &candidates) == -EMFILE, "%d", more);
        CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    CU_ASSERT_EQUAL(open_descriptors(""), before);

    CU_ASSERT_EQUAL_FATAL(mn_ranker_rank(&view, &candidates), 0);
    CU_ASSERT_FALSE(has_pid(candidates, getpid())); /* ourselves, and whose parent the daemon is */
    CU_ASSERT_TRUE(has_pid(candidates, child));
    g_array_unref(candidates);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    mn_view_close(&view);
}

static CU_TestInfo tests[] = {
    { "files are opened as the user", test_files_are_opened_as_the_user },
    { "who can be acted as", test_who_can_be_acted_as },
    { "whose view is whose", test_whose_view_is_whose },
    { "a ranking is whole or an error", test_a_ranking_is_whole_or_an_error },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "view", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    if (getuid() != 0) {
        printf("only root can act as several users\n0 passed, 0 failed, 1 skipped\n");
        return 77;
    }
    return run_suites(suites);
}
