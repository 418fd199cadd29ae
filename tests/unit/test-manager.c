/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service manager hands over, and what it is told. A child is the service, since that changes its environment
 * and its descriptors. */
#include "kernel/manager.h"
#include "runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int in_child(int (*judge)(void)) {
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(judge());
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void set_number(const char *name, int number) {
    g_autofree char *text = g_strdup_printf("%d", number);

    g_setenv(name, text, TRUE);
}

static int judge_what_is_handed_over(void) {
    g_autoptr(MnManager) manager = NULL;
    int first, again;

    if (dup2(0, 3) < 0 || dup2(0, 4) < 0)
        return 1;
    close(5);
    set_number("LISTEN_PID", getpid());
    set_number("LISTEN_FDS", 3);
    g_setenv("LISTEN_FDNAMES", "one:two", TRUE);
    manager = mn_manager_new();
    if (mn_manager_get_n_fds(manager) != 3 || strcmp(mn_manager_get_name(manager, 1), "two") != 0 ||
        strcmp(mn_manager_get_name(manager, 2), "") != 0)
        return 2;
    first = mn_manager_take_fd(manager, 0);
    again = mn_manager_take_fd(manager, 0);
    if (first != 3 || again != -1 || fcntl(3, F_GETFD) != FD_CLOEXEC || mn_manager_take_fd(manager, 2) != -1)
        return 3;
    if (g_getenv("LISTEN_FDS") || g_getenv("LISTEN_PID") || g_getenv("LISTEN_FDNAMES"))
        return 4;
    g_clear_pointer(&manager, mn_manager_free); /* closes what was not taken */
    return fcntl(4, F_GETFD) >= 0 || fcntl(3, F_GETFD) < 0 ? 5 : 0;
}

static int judge_what_is_anothers(void) {
    g_autoptr(MnManager) manager = NULL;

    set_number("LISTEN_PID", getpid() + 1);
    set_number("LISTEN_FDS", 3);
    manager = mn_manager_new();
    return mn_manager_get_n_fds(manager) == 0 ? 0 : 1;
}

static int judge_numbers_that_are_none(void) {
    static const char *const texts[] = { "", "x", "-1", "1x", "99999999999999999999" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(MnManager) manager = NULL;

        set_number("LISTEN_PID", getpid());
        g_setenv("LISTEN_FDS", texts[i], TRUE);
        manager = mn_manager_new();
        if (mn_manager_get_n_fds(manager) != 0)
            return 1 + (int)i;
    }
    return 0;
}

static void test_what_is_handed_over(void) {
    CU_ASSERT_EQUAL(in_child(judge_what_is_handed_over), 0);
    CU_ASSERT_EQUAL(in_child(judge_what_is_anothers), 0);
    CU_ASSERT_EQUAL(in_child(judge_numbers_that_are_none), 0);
}

/* A manager's end, whose abstract name the kernel has chosen. */
static int listen_as_manager(void) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t len = sizeof(sa_family_t);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_autofree char *name = NULL;

    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, len), ==, 0);
    len = sizeof address;
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &len), ==, 0);
    name = g_strdup_printf("@%.*s", (int)(len - sizeof(sa_family_t) - 1), address.sun_path + 1);
    g_setenv("NOTIFY_SOCKET", name, TRUE);
    return fd;
}

static void check_told(int fd, const char *expected) {
    char text[256] = "";

    CU_ASSERT_EQUAL(recv(fd, text, sizeof text - 1, 0), (ssize_t)strlen(expected));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_what_it_is_told(void) {
    int fd = listen_as_manager();
    g_autoptr(MnManager) manager = NULL;

    g_setenv("FDSTORE", "7", TRUE);
    manager = mn_manager_new();
    CU_ASSERT_EQUAL(mn_manager_get_n_kept(manager), 7);
    CU_ASSERT_PTR_NULL(g_getenv("NOTIFY_SOCKET"));
    mn_manager_tell(manager, "READY=1");
    check_told(fd, "READY=1");
    CU_ASSERT_TRUE(mn_manager_keep(manager, "a", fd));
    check_told(fd, "FDSTORE=1\nFDNAME=a");
    CU_ASSERT_TRUE(mn_manager_forget(manager, "a"));
    check_told(fd, "FDSTOREREMOVE=1\nFDNAME=a");
    close(fd);
    CU_ASSERT_FALSE(mn_manager_keep(manager, "a", 0));
}

/* One that does not read is not waited for. */
static void test_a_manager_that_does_not_read(void) {
    int fd = listen_as_manager();
    g_autoptr(MnManager) manager = mn_manager_new();
    guint n = 0;

    while (n < 100000 && mn_manager_forget(manager, "a"))
        n++;
    CU_ASSERT_TRUE(n < 100000);
    close(fd);
}

static void test_without_one(void) {
    g_autoptr(MnManager) manager = mn_manager_new();

    CU_ASSERT_EQUAL(mn_manager_get_n_fds(manager), 0);
    CU_ASSERT_EQUAL(mn_manager_get_n_kept(manager), 0);
    mn_manager_tell(manager, "READY=1");
    CU_ASSERT_FALSE(mn_manager_keep(manager, "a", 0));
}

static CU_TestInfo tests[] = {
    { "what is handed over", test_what_is_handed_over },
    { "what it is told", test_what_it_is_told },
    { "a manager that does not read", test_a_manager_that_does_not_read },
    { "without one", test_without_one },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "manager", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
