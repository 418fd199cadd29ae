/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes and descriptors on their way through a socket. */
#include "descriptors.h"
#include "kernel/parcel.h"
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void set_up(void) {
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
}

static void tear_down(void) {
    close(ends[0]);
    close(ends[1]);
}

static int receive_all(MnParcel *parcel, gint64 *ret_word) {
    int r;

    mn_parcel_init(parcel);
    do
        r = mn_parcel_receive(parcel, ends[1], MSG_DONTWAIT, ret_word);
    while (r == 0);
    return r;
}

static void test_bytes(void) {
    static const gsize sizes[] = { 0, 1, 32767, 32768, 32769, 150000 };

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *bytes = g_malloc(sizes[i] + 1);
        g_auto(MnParcel) parcel = { 0 };
        gint64 word = 0;

        for (gsize at = 0; at < sizes[i]; at++)
            bytes[at] = (char)(at * 7);
        CHECK(mn_parcel_send(ends[0], -4711, bytes, sizes[i], NULL, 0, MSG_DONTWAIT) == 0, "%u", i);
        CHECK(receive_all(&parcel, &word) == 1 && word == -4711, "%u", i);
        CHECK(parcel.bytes->len == sizes[i] && (sizes[i] == 0 || memcmp(parcel.bytes->data, bytes, sizes[i]) == 0),
              "%u", i);
        CHECK(parcel.fds->len == 0 && !parcel.is_cut, "%u", i);
    }
}

static void test_descriptors(void) {
    static const guint numbers[] = { 1, 2, 250, 251, 600 };
    guint before = open_descriptors("[eventfd]");

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_auto(MnParcel) sent = { 0 }, parcel = { 0 };
        eventfd_t value = 0;
        gint64 word;
        int last;

        mn_parcel_init(&sent);
        for (guint n = 0; n < numbers[i]; n++)
            mn_parcel_add_fd(&sent, eventfd(n + 1, 0));
        CHECK(mn_parcel_send(ends[0], 1, NULL, 0, (const int *)(void *)sent.fds->data, sent.fds->len, MSG_DONTWAIT) ==
                  0,
              "%u", i);
        CHECK(receive_all(&parcel, &word) == 1 && parcel.fds->len == numbers[i], "%u", i);
        last = mn_parcel_steal_fd(&parcel, numbers[i] - 1);
        CHECK(eventfd_read(last, &value) == 0 && value == numbers[i], "%u", i); /* in their order */
        CHECK((fcntl(last, F_GETFD) & FD_CLOEXEC) != 0, "%u", i);
        CHECK(mn_parcel_get_fd(&parcel, numbers[i] - 1) == -1 && mn_parcel_get_fd(&parcel, numbers[i]) == -1, "%u", i);
        close(last);
    }
    CU_ASSERT_EQUAL(open_descriptors("[eventfd]"), before);
}

/* Runs in a process of its own, which has room for two descriptors of three. */
static gboolean is_cut_short(void) {
    struct rlimit limit = { 0, 0 };
    int fds[3] = { eventfd(0, 0), eventfd(0, 0), eventfd(0, 0) };
    MnParcel parcel;
    gint64 word;

    if (mn_parcel_send(ends[0], 0, NULL, 0, fds, 3, MSG_DONTWAIT) < 0)
        return FALSE;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = fds[2] + 1 + 2;
    setrlimit(RLIMIT_NOFILE, &limit);
    return receive_all(&parcel, &word) == 1 && parcel.is_cut && parcel.fds->len == 2;
}

static void test_no_room_for_descriptors(void) {
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(is_cut_short() ? 0 : 1);
    waitpid(child, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_the_other_side_has_gone(void) {
    g_auto(MnParcel) parcel = { 0 };
    gint64 word;

    CU_ASSERT_EQUAL(receive_all(&parcel, &word), -EAGAIN);
    mn_parcel_clear(&parcel);
    close(ends[0]);
    CU_ASSERT_EQUAL(receive_all(&parcel, &word), -EPIPE);
    CU_ASSERT_EQUAL(mn_parcel_send(ends[1], 0, "x", 1, NULL, 0, 0), -EPIPE);
}

static void test_a_full_socket(void) {
    static const char bytes[32768];
    int r;

    do
        r = mn_parcel_send(ends[0], 0, bytes, sizeof bytes, NULL, 0, MSG_DONTWAIT);
    while (r == 0);
    CU_ASSERT_EQUAL(r, -EAGAIN);
}

static CU_TestInfo tests[] = {
    { "bytes", test_bytes },
    { "descriptors", test_descriptors },
    { "no room for descriptors", test_no_room_for_descriptors },
    { "the other side has gone", test_the_other_side_has_gone },
    { "a full socket", test_a_full_socket },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "parcel", NULL, NULL, set_up, tear_down, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
