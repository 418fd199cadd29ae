/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors of another process: what they are said to be, and what is taken over. The clients are
 * this process itself, its threads and its children. */
#include "client-process.h"
#include "runner.h"
#include "kernel/client.h"
#include "kernel/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define NO_NUMBER 9999 /* of a descriptor */
#define CHILD(judgement) (_exit((judgement) ? 0 : 1))

static gboolean is_good(pid_t child) {
    int status;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static guint64 id_of(int fd) {
    MnDescriptor descriptor = { 0 };

    CU_ASSERT_EQUAL(mn_client_look(getpid(), fd, &descriptor), 0);
    CU_ASSERT(descriptor.is_eventfd);
    return descriptor.eventfd_id;
}

/* A process that has ended and that nobody has waited for would still be there. */
static pid_t ended_process(void) {
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return child;
}

static gpointer find_from_thread(gpointer ret_pid) {
    pid_t tid = syscall(SYS_gettid);

    return GINT_TO_POINTER(tid != getpid() && mn_client_find_process(tid, 0, ret_pid) == 0);
}

static void test_the_process_of_a_thread(void) {
    pid_t pid = 0;

    CU_ASSERT_EQUAL(mn_client_find_process(getpid(), getuid(), &pid), 0);
    CU_ASSERT_EQUAL(pid, getpid());
    pid = 0;
    CU_ASSERT(GPOINTER_TO_INT(g_thread_join(g_thread_new("client", find_from_thread, &pid))));
    CU_ASSERT_EQUAL(pid, getpid());

    CU_ASSERT_EQUAL(mn_client_find_process(0, 0, &pid), -EPERM);
    CU_ASSERT_EQUAL(mn_client_find_process(-1, 0, &pid), -EPERM);
    CU_ASSERT_EQUAL(mn_client_find_process(ended_process(), 0, &pid), -ESRCH);
}

/* As one that has executed a program of another user's since it asked. */
static void test_a_process_that_has_changed_its_user(void) {
    pid_t child = fork(), pid;

    if (child == 0) {
        if (getuid() != 0 || setresuid(0, 0, NOBODY) < 0)
            _exit(getuid() != 0 ? 0 : 2);
        CHILD(mn_client_find_process(getpid(), NOBODY, &pid) == -EPERM && seteuid(NOBODY) == 0 &&
              mn_client_find_process(getpid(), NOBODY, &pid) == 0 && mn_client_find_process(getpid(), 0, &pid) == 0);
    }
    CU_ASSERT(is_good(child));
}

/* What is no eventfd is not asked for more than its name: the kernel would take its lock, as an epoll set's. */
static void test_what_a_descriptor_is(void) {
    int event = eventfd(0, 0), null = open("/dev/null", O_RDONLY), path = open("/dev/null", O_PATH);
    int epoll = epoll_create1(0);
    MnDescriptor descriptor;

    CU_ASSERT_EQUAL(mn_client_look(getpid(), event, &descriptor), 0);
    CU_ASSERT(descriptor.is_eventfd && !descriptor.is_path);
    CU_ASSERT_EQUAL(mn_client_look(getpid(), null, &descriptor), 0);
    CU_ASSERT(!descriptor.is_eventfd && !descriptor.is_path && descriptor.is_file);
    CU_ASSERT_EQUAL(mn_client_look(getpid(), epoll, &descriptor), 0);
    CU_ASSERT(!descriptor.is_eventfd && !descriptor.is_path && !descriptor.is_file);
    CU_ASSERT_EQUAL(mn_client_look(getpid(), path, &descriptor), 0);
    CU_ASSERT(descriptor.is_path);
    close(epoll);
    close(path);
    close(null);
    close(event);

    CU_ASSERT_EQUAL(mn_client_look(getpid(), event, &descriptor), -EBADF);
    CU_ASSERT_EQUAL(mn_client_look(getpid(), G_MAXUINT64, &descriptor), -EBADF);
    CU_ASSERT_EQUAL(mn_client_look(ended_process(), 0, &descriptor), -EBADF);
}

static void test_the_file_of_a_descriptor(void) {
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("memnotifyfs-client.XXXXXX", &name, NULL);
    struct stat st;
    dev_t device = 0;
    guint64 ino = 0;

    fstat(fd, &st);
    CU_ASSERT_EQUAL(mn_client_find_file(getpid(), fd, &device, &ino), 0);
    CU_ASSERT_EQUAL(device, st.st_dev);
    CU_ASSERT_EQUAL(ino, st.st_ino);

    close(fd);
    CU_ASSERT_EQUAL(mn_client_find_file(getpid(), fd, &device, &ino), -EBADF);
    g_remove(name);
}

static void test_an_eventfd_is_taken_over(void) {
    int event = eventfd(0, EFD_NONBLOCK), pidfd, taken;
    eventfd_t value = 0;

    CU_ASSERT_EQUAL_FATAL(mn_process_open(getpid(), &pidfd), 0);
    CU_ASSERT_EQUAL_FATAL(mn_client_take_eventfd(pidfd, event, id_of(event), &taken), 0);
    CU_ASSERT_NOT_EQUAL(taken, event);
    CU_ASSERT_EQUAL(eventfd_write(taken, 3), 0);
    CU_ASSERT_EQUAL(eventfd_read(event, &value), 0);
    CU_ASSERT_EQUAL(value, 3);
    CU_ASSERT_NOT_EQUAL(fcntl(taken, F_GETFD) & FD_CLOEXEC, 0);
    close(taken);
    close(pidfd);
    close(event);
}

/* As when a client changes its descriptors after it was looked at. */
static void test_nothing_else_is_taken_over(void) {
    int event = eventfd(0, 0), other = eventfd(0, 0), null = open("/dev/null", O_RDONLY);
    int path = open("/dev/null", O_PATH), pidfd, taken = -1;
    guint64 id = id_of(event);

    CU_ASSERT_EQUAL_FATAL(mn_process_open(getpid(), &pidfd), 0);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, other, id, &taken), -EINVAL);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, null, id, &taken), -EINVAL);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, path, id, &taken), -EINVAL);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, NO_NUMBER, id, &taken), -EBADF);
    CU_ASSERT_EQUAL(taken, -1);
    close(pidfd);
    close(path);
    close(null);
    close(other);
    close(event);
}

/* It is closed by somebody else; the end of the pipe tells when. */
static void test_nothing_else_is_held(void) {
    int event = eventfd(0, 0), ends[2], pidfd, taken;
    char byte;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL_FATAL(mn_process_open(getpid(), &pidfd), 0);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, ends[1], id_of(event), &taken), -EINVAL);
    close(ends[1]);
    CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 0); /* or for ever */
    close(ends[0]);
    close(pidfd);
    close(event);
}

static void test_a_process_that_has_ended(void) {
    int event = eventfd(0, 0), pidfd, taken;
    guint64 id = id_of(event);
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    CU_ASSERT_EQUAL_FATAL(mn_process_open(child, &pidfd), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CU_ASSERT_EQUAL(mn_client_take_eventfd(pidfd, event, id, &taken), -ESRCH);
    CU_ASSERT_EQUAL(mn_process_open(child, &taken), -ESRCH);
    close(pidfd);
    close(event);
}

static void test_an_eventfd_under_another_number(void) {
    int event = eventfd(0, 0), moved;
    guint64 id = id_of(event), number = event;

    moved = fcntl(event, F_DUPFD_CLOEXEC, 60);
    close(event);
    CU_ASSERT_EQUAL(mn_client_look_again(getpid(), id, &number), 0);
    CU_ASSERT_EQUAL(number, (guint64)moved);
    close(moved);
    number = 4711;
    CU_ASSERT_EQUAL(mn_client_look_again(getpid(), id, &number), -ENOENT);
    CU_ASSERT_EQUAL(mn_client_look_again(ended_process(), id, &number), -ENOENT);
    CU_ASSERT_EQUAL(number, 4711);
}

static void test_only_so_many_are_searched(void) {
    int event = eventfd(0, 0), others[200];
    guint64 id, number = NO_NUMBER;

    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        others[i] = open("/dev/null", O_RDONLY);
    close(event);
    event = eventfd(0, 0); /* where it was */
    id = id_of(event);
    CU_ASSERT_EQUAL(mn_client_look_again(getpid(), id, &number), 0);
    CU_ASSERT(fcntl(event, F_DUPFD_CLOEXEC, 900) >= 900);
    close(event);
    CU_ASSERT_EQUAL(mn_client_look_again(getpid(), id, &number), -ENOENT);
    close(900);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        close(others[i]);
}

/* In a process that has only `n` descriptors left. */
static void use_up_descriptors(guint n) {
    struct rlimit limit = { 0, 0 };
    int next = open("/dev/null", O_RDONLY);

    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = next + n;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Else a registration would end because we cannot look. */
static void test_who_cannot_look_does_not_say_it_is_gone(void) {
    int event = eventfd(0, 0);
    guint64 id = id_of(event);

    for (guint n_left = 0; n_left < 3; n_left++) {
        pid_t child = fork();

        if (child == 0) {
            guint64 number = NO_NUMBER;
            int r;

            use_up_descriptors(n_left);
            r = mn_client_look_again(getppid(), id, &number);
            CHILD(n_left < 2 ? r < 0 && r != -ENOENT : r == 0);
        }
        CHECK(is_good(child), "%u left", n_left);
    }
    close(event);
}

/* Everybody may see that there is process 1, and only root what it has open. */
static void test_a_process_of_another_user(void) {
    pid_t child = fork(), pid;

    if (child == 0) {
        MnDescriptor descriptor;
        guint64 number = 0;
        int pidfd, taken;

        if (getuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
            _exit(2);
        CHILD(mn_client_find_process(1, 0, &pid) == 0 && pid == 1 && mn_client_look(1, 0, &descriptor) == -EPERM &&
              mn_process_open(1, &pidfd) == 0 && mn_client_take_eventfd(pidfd, 0, 1, &taken) == -EPERM &&
              mn_client_look_again(1, 1, &number) == -EPERM);
    }
    CU_ASSERT(is_good(child));
}

static CU_TestInfo tests[] = {
    { "the process of a thread", test_the_process_of_a_thread },
    { "a process that has changed its user", test_a_process_that_has_changed_its_user },
    { "what a descriptor is", test_what_a_descriptor_is },
    { "the file of a descriptor", test_the_file_of_a_descriptor },
    { "an eventfd is taken over", test_an_eventfd_is_taken_over },
    { "nothing else is taken over", test_nothing_else_is_taken_over },
    { "nothing else is held", test_nothing_else_is_held },
    { "a process that has ended", test_a_process_that_has_ended },
    { "an eventfd under another number", test_an_eventfd_under_another_number },
    { "only so many descriptors are searched", test_only_so_many_are_searched },
    { "who cannot look does not say that it is gone", test_who_cannot_look_does_not_say_it_is_gone },
    { "a process of another user", test_a_process_of_another_user },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "client", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return client_can_be_served() ? run_suites(suites) : 77;
}
