/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of a script as files, and its clock. */
#include "probe/replay.h"
#include "runner.h"
#include "script/recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SECOND_US G_TIME_SPAN_SECOND
#define HOUR_US G_TIME_SPAN_HOUR
#define PAGE_BYTES 16384

static void put_meminfo(MnRecorder *recorder, guint mib) {
    g_autofree char *text =
        g_strdup_printf("MemTotal: %u kB\nMemFree: 1 kB\nSwapTotal: %u kB\n", mib * 1024, mib * 512);

    mn_recorder_put(recorder, "meminfo", text, strlen(text));
}

/* Moments at 0, 1 and 2 hours, of a machine of 100, 200 and 300 MiB; the group is gone in the second. */
static MnReplay *make_replay(void) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);
    g_autofree char *path = g_strdup("/tmp/memnotifyfs-test-XXXXXX");
    int fd = g_mkstemp(path);
    MnReplay *replay = NULL;
    const guint8 *bytes;
    MnScript *script;
    gsize len;

    for (guint i = 0; i < 3; i++) {
        mn_recorder_begin(recorder, SECOND_US + i * HOUR_US, SECOND_US);
        put_meminfo(recorder, 100 * (i + 1));
        mn_recorder_put(recorder, "cgroup/0/memory.current", i == 1 ? NULL : "7\n", 2);
        mn_recorder_end(recorder);
    }
    mn_recorder_end_frame(recorder);
    bytes = mn_recorder_get_output(recorder, &len);
    CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (gssize)len);
    close(fd);
    CU_ASSERT_FATAL(mn_script_open(path, &script, NULL));
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(mn_replay_new(script, &replay), 0);
    return replay;
}

static guint64 number_in(int fd) {
    char text[256];
    gssize n = pread(fd, text, sizeof text - 1, 0);

    text[MAX(n, 0)] = '\0';
    return n > 0 ? g_ascii_strtoull(text + strcspn(text, "0123456789"), NULL, 10) : 0;
}

static void test_files(void) {
    g_autoptr(MnReplay) replay = make_replay();
    int meminfo = mn_replay_open(replay, "meminfo"), usage = mn_replay_open(replay, "cgroup/0/memory.current");

    CU_ASSERT_EQUAL(mn_replay_open(replay, "vmstat"), -ENOENT);
    CU_ASSERT_FALSE(mn_replay_has(replay, "vmstat"));
    CU_ASSERT_EQUAL(number_in(meminfo), 100 * 1024);
    CU_ASSERT_EQUAL(number_in(usage), 7);
    mn_replay_step(replay);
    CU_ASSERT_EQUAL(number_in(meminfo), 200 * 1024);
    CU_ASSERT_FALSE(mn_replay_has(replay, "cgroup/0/memory.current"));
    CU_ASSERT_EQUAL(mn_replay_open(replay, "cgroup/0/memory.current"), -ENOENT);
    CU_ASSERT_EQUAL(number_in(usage), 0);
    mn_replay_step(replay);
    CU_ASSERT_EQUAL(number_in(meminfo), 300 * 1024);
    CU_ASSERT_EQUAL(number_in(usage), 7);
    close(meminfo);
    close(usage);
}

static void test_machine(void) {
    g_autoptr(MnReplay) replay = make_replay();
    guint64 total, swap;

    CU_ASSERT_EQUAL(mn_replay_page_bytes(replay), PAGE_BYTES);
    CU_ASSERT_EQUAL(mn_replay_page_bytes(NULL), (guint)sysconf(_SC_PAGESIZE));
    mn_replay_read_machine(replay, &total, &swap);
    CU_ASSERT_EQUAL(total, 100 * 1024 / 16);
    CU_ASSERT_EQUAL(swap, 100 * 512 / 16);
}

/* Whatever the machine's clock says meanwhile. */
static void test_time_is_that_of_the_moment(void) {
    g_autoptr(MnReplay) replay = make_replay();
    const MnClock *clock = mn_replay_get_clock(replay);

    mn_replay_start(replay);
    mn_replay_set_speed(replay, 1e6);
    g_usleep(10000);
    CU_ASSERT_EQUAL(mn_clock_now_us(clock), 1);
    mn_replay_step(replay);
    CU_ASSERT_EQUAL(mn_clock_now_us(clock), HOUR_US);
    mn_replay_step(replay);
    CU_ASSERT_EQUAL(mn_clock_now_us(clock), 2 * HOUR_US);
    CU_ASSERT(mn_replay_has_ended(replay));
    for (guint i = 1; i <= 3; i++) {
        mn_replay_step(replay);
        CU_ASSERT_EQUAL(mn_clock_now_us(clock), 2 * HOUR_US + i * SECOND_US);
    }
}

static void test_waiting(void) {
    g_autoptr(MnReplay) replay = make_replay();
    const MnClock *clock = mn_replay_get_clock(replay), *pacemaker = mn_replay_get_pacemaker(replay);
    gint64 left_us;

    CU_ASSERT_EQUAL(mn_clock_wait_us(pacemaker, 1), G_MAXINT64);
    CU_ASSERT(mn_clock_wait_us(clock, HOUR_US) >= HOUR_US); /* it stands still */
    mn_replay_start(replay);
    left_us = mn_clock_wait_us(pacemaker, 1);
    CU_ASSERT(left_us > 0 && left_us <= HOUR_US);
    mn_replay_set_speed(replay, 3600);
    left_us = mn_clock_wait_us(pacemaker, 1);
    CU_ASSERT(left_us <= SECOND_US);
    CU_ASSERT(mn_clock_wait_us(clock, HOUR_US) >= 1);
    CU_ASSERT(mn_clock_wait_us(clock, 1) <= 0);
    mn_replay_set_speed(replay, MN_REPLAY_UNBOUNDED);
    CU_ASSERT(mn_clock_wait_us(pacemaker, 1) <= 0);
    CU_ASSERT_EQUAL(mn_clock_now_us(pacemaker), 1);
    CU_ASSERT(mn_clock_wait_us(clock, HOUR_US) >= 1); /* not before the moment has come */
    mn_replay_pause(replay);
    CU_ASSERT(mn_clock_wait_us(pacemaker, 1) <= SECOND_US);
}

/* At the speed of the machine, even where the script went as fast as it could. */
static void test_after_the_end(void) {
    g_autoptr(MnReplay) replay = make_replay();

    mn_replay_set_speed(replay, MN_REPLAY_UNBOUNDED);
    mn_replay_start(replay);
    mn_replay_step(replay);
    mn_replay_step(replay);
    CU_ASSERT(mn_replay_has_ended(replay));
    CU_ASSERT(mn_clock_wait_us(mn_replay_get_pacemaker(replay), 1) <= SECOND_US);
    CU_ASSERT_FALSE(mn_replay_catch_up(replay) &&
                    mn_clock_now_us(mn_replay_get_clock(replay)) > 2 * HOUR_US + 60 * SECOND_US);
}

static void test_catching_up(void) {
    g_autoptr(MnReplay) replay = make_replay();
    const MnClock *clock = mn_replay_get_clock(replay);

    CU_ASSERT_FALSE(mn_replay_catch_up(replay)); /* not begun */
    mn_replay_set_speed(replay, MN_REPLAY_UNBOUNDED);
    mn_replay_start(replay);
    CU_ASSERT_FALSE(mn_replay_catch_up(replay)); /* nobody waits */
    CU_ASSERT_EQUAL(mn_clock_now_us(clock), 1);
    mn_replay_set_speed(replay, 1e6); /* an hour takes 3.6 ms */
    g_usleep(5000);
    CU_ASSERT(mn_replay_catch_up(replay));
    CU_ASSERT(mn_clock_now_us(clock) >= HOUR_US);
    g_usleep(5000);
    CU_ASSERT(mn_replay_catch_up(replay)); /* beyond the end, too, and it comes back */
    CU_ASSERT(mn_replay_has_ended(replay));
}

static CU_TestInfo tests[] = {
    { "files", test_files },
    { "the machine", test_machine },
    { "the time is that of the moment", test_time_is_that_of_the_moment },
    { "waiting", test_waiting },
    { "after the end", test_after_the_end },
    { "catching up", test_catching_up },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "replay", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
