/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals to eventfds that never wait. */
#include "hand-clock.h"
#include "runner.h"
#include "kernel/signaller.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FULL (G_MAXUINT64 - 1)

static guint64 count(int fd) {
    eventfd_t value = 0;

    return eventfd_read(fd, &value) == 0 ? value : 0;
}

/* Enough of them for everything here. */
static void turn(void) {
    for (guint i = 0; i < 100; i++)
        g_main_context_iteration(NULL, FALSE);
}

static void test_many(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int fds[300]; /* more than a batch */

    CU_ASSERT_EQUAL_FATAL(mn_signaller_new(outbox, &signaller), 0);
    CU_ASSERT_EQUAL_FATAL(mn_signaller_prepare(signaller), 0);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        mn_signaller_add(signaller, fds[i]);
    }
    mn_signaller_add(signaller, fds[0]);
    turn();
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++) {
        CHECK(count(fds[i]) == (i == 0 ? 2 : 1), "%u", i);
        close(fds[i]);
    }
}

static gboolean on_other(gpointer has_had_its_turn) {
    *(gboolean *)has_had_its_turn = TRUE;
    return G_SOURCE_REMOVE;
}

/* Who has something else to do in the main loop does not wait for thousands of them. */
static void test_others_have_their_turn(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int fd = eventfd(0, EFD_NONBLOCK);
    guint64 n = 3000, signalled;
    gboolean has_had_its_turn = FALSE;

    CU_ASSERT_EQUAL_FATAL(mn_signaller_new(outbox, &signaller), 0);
    CU_ASSERT_EQUAL_FATAL(mn_signaller_prepare(signaller), 0);
    for (guint64 i = 0; i < n; i++)
        mn_signaller_add(signaller, fd);
    g_timeout_add(0, on_other, &has_had_its_turn);
    while (!has_had_its_turn)
        g_main_context_iteration(NULL, TRUE);
    signalled = count(fd);
    CU_ASSERT_TRUE(signalled > 0 && signalled < n / 2);
    turn();
    CU_ASSERT_EQUAL(signalled + count(fd), n);
    close(fd);
}

static void test_flush_is_at_once(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int fd = eventfd(0, EFD_NONBLOCK);

    CU_ASSERT_EQUAL_FATAL(mn_signaller_new(outbox, &signaller), 0);
    CU_ASSERT_EQUAL_FATAL(mn_signaller_prepare(signaller), 0);
    mn_signaller_add(signaller, fd);
    mn_signaller_flush(signaller);
    CU_ASSERT_EQUAL(count(fd), 1);
    turn();
    CU_ASSERT_EQUAL(count(fd), 0); /* not a second time */
    CU_ASSERT_EQUAL(mn_signaller_get_n_signals(signaller), 1);
    close(fd);
}

/* A write(2) would wait here for ever: the descriptor is a blocking one, and full. */
static void test_full_counter(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int full = eventfd(0, 0), other = eventfd(0, EFD_NONBLOCK);

    CU_ASSERT_EQUAL_FATAL(mn_signaller_new(outbox, &signaller), 0);
    CU_ASSERT_EQUAL_FATAL(mn_signaller_prepare(signaller), 0);
    CU_ASSERT_EQUAL_FATAL(eventfd_write(full, FULL), 0);
    for (guint i = 0; i < 3; i++)
        mn_signaller_add(signaller, full);
    mn_signaller_add(signaller, other);
    turn();
    CU_ASSERT(count(full) >= FULL);
    CU_ASSERT_EQUAL(count(other), 1);
    close(full);
    close(other);
}

/* Cannot happen while its users are right; must not take the others with it. */
static void test_closed_descriptor(void) {
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int gone = eventfd(0, 0), other = eventfd(0, EFD_NONBLOCK);

    CU_ASSERT_EQUAL_FATAL(mn_signaller_new(outbox, &signaller), 0);
    CU_ASSERT_EQUAL_FATAL(mn_signaller_prepare(signaller), 0);
    close(gone);
    mn_signaller_add(signaller, other);
    mn_signaller_add(signaller, gone);
    mn_signaller_add(signaller, other);
    turn();
    CU_ASSERT_EQUAL(count(other), 2);
    close(other);
}

static CU_TestInfo tests[] = {
    { "each gets its signals, whatever their number", test_many },
    { "others have their turn between many", test_others_have_their_turn },
    { "flush does it at once, and once", test_flush_is_at_once },
    { "a full counter stops nobody", test_full_counter },
    { "a descriptor that is none is left out", test_closed_descriptor },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "signaller", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
    g_autoptr(MnOutbox) outbox = mn_outbox_new(&still_clock.clock);
    g_autoptr(MnSignaller) signaller = NULL;
    int r;

    r = mn_signaller_new(outbox, &signaller);
    if (r == 0)
        r = mn_signaller_prepare(signaller);
    if (r == -ENOSYS || r == -EAGAIN) {
        printf("the kernel gives no AIO context: %s\n0 passed, 0 failed, 1 skipped\n", g_strerror(-r));
        return 77;
    }
    g_clear_pointer(&signaller, mn_signaller_free);
    return run_suites(suites);
}
