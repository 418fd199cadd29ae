/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is recorded is read again, however the recording ends. */
#include "runner.h"
#include "script/recorder.h"
#include "script/script.h"

#include <string.h>
#include <unistd.h>

#define PAGE_BYTES 16384
#define SECOND_US G_TIME_SPAN_SECOND
#define UPTIME_US (1000 * SECOND_US)
#define DATE_US (G_GINT64_CONSTANT(1700000000) * SECOND_US)

/* A moment that is as long ago as its number says, with a text that changes and one that does not. */
static void record(MnRecorder *recorder, guint i) {
    g_autofree char *text = g_strdup_printf("Free: %8u kB\nCached: %u kB\n", 100000 - 997 * i, i);

    mn_recorder_begin(recorder, UPTIME_US + i * SECOND_US, DATE_US + i * SECOND_US);
    mn_recorder_put(recorder, "meminfo", text, strlen(text));
    mn_recorder_put(recorder, "pressure/memory", "some\n", 5);
    mn_recorder_end(recorder);
}

static void take_output(MnRecorder *recorder, GByteArray *file) {
    gsize len;
    const guint8 *bytes = mn_recorder_get_output(recorder, &len);

    g_byte_array_append(file, bytes, (guint)len);
    mn_recorder_take_output(recorder);
}

/* Moments from `first` on, a frame each `per_frame`. */
static void record_many(GByteArray *file, guint first, guint n, guint per_frame) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);

    for (guint i = first; i < first + n; i++) {
        record(recorder, i);
        if ((i - first + 1) % per_frame == 0)
            mn_recorder_end_frame(recorder);
    }
    mn_recorder_end_frame(recorder);
    take_output(recorder, file);
}

static MnScript *open_bytes(const guint8 *bytes, gsize len) {
    g_autofree char *path = g_strdup("/tmp/memnotifyfs-test-XXXXXX");
    int fd = g_mkstemp(path);
    MnScript *script = NULL;

    CU_ASSERT_EQUAL_FATAL(write(fd, bytes, len), (gssize)len);
    close(fd);
    mn_script_open(path, &script, NULL);
    unlink(path);
    return script;
}

static gint64 peek(const MnScript *script) {
    gint64 time_us;

    return mn_script_peek(script, &time_us) ? time_us : -1;
}

static guint count_moments(MnScript *script) {
    guint n = 0;

    while (peek(script) >= 0 && mn_script_next(script) == 0)
        n++;
    return n;
}

static gboolean says(const MnScript *script, const char *name, const char *expected) {
    const MnScriptText *text = mn_script_find(script, name);

    if (!text || !expected)
        return !text && !expected;
    return strcmp(text->text, expected) == 0 && text->len == strlen(expected);
}

static gboolean is_moment(const MnScript *script, guint i) {
    g_autofree char *text = g_strdup_printf("Free: %8u kB\nCached: %u kB\n", 100000 - 997 * i, i);

    return mn_script_get_date_us(script) == DATE_US + i * SECOND_US && says(script, "meminfo", text) &&
           says(script, "pressure/memory", "some\n");
}

static void test_round_trip(void) {
    for (guint per_frame = 1; per_frame <= 32; per_frame *= 2) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_autoptr(MnScript) script = NULL;

        record_many(file, 0, 20, per_frame);
        script = open_bytes(file->data, file->len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(script);
        CU_ASSERT_EQUAL(mn_script_get_page_bytes(script), PAGE_BYTES);
        for (guint i = 0; i < 20; i++) {
            CHECK(peek(script) == i * SECOND_US, "%u a frame: %u", per_frame, i);
            CHECK(mn_script_next(script) == 0 && is_moment(script, i), "%u a frame: %u", per_frame, i);
            CHECK(mn_script_get_time_us(script) == i * SECOND_US, "%u a frame: %u", per_frame, i);
        }
        CHECK(peek(script) < 0 && !mn_script_get_fault(script), "%u a frame", per_frame);
        CU_ASSERT_EQUAL(mn_script_get_n_texts(script), 2);
    }
}

static void test_texts_come_and_go(void) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(MnScript) script = NULL;

    mn_recorder_begin(recorder, 1, 1);
    mn_recorder_put(recorder, "one", "1\n", 2);
    mn_recorder_put(recorder, "two", "", 0);
    mn_recorder_put(recorder, "three", NULL, 0);
    mn_recorder_end(recorder);
    mn_recorder_begin(recorder, 2, 2);
    mn_recorder_put(recorder, "one", NULL, 0);
    mn_recorder_put(recorder, "three", "max\n", 4);
    mn_recorder_end(recorder);
    mn_recorder_end_frame(recorder);
    mn_recorder_begin(recorder, 3, 3); /* what is not put stays, in another frame, too */
    mn_recorder_put(recorder, "one", "2\n", 2);
    mn_recorder_end(recorder);
    mn_recorder_end_frame(recorder);
    take_output(recorder, file);

    script = open_bytes(file->data, file->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    CU_ASSERT(mn_script_next(script) == 0 && says(script, "one", "1\n") && says(script, "two", "") &&
              says(script, "three", NULL));
    CU_ASSERT(mn_script_next(script) == 0 && says(script, "one", NULL) && says(script, "two", "") &&
              says(script, "three", "max\n"));
    CU_ASSERT(mn_script_next(script) == 0 && says(script, "one", "2\n") && says(script, "two", "") &&
              says(script, "three", "max\n"));
}

static void test_serial(void) {
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(MnScript) script = NULL;
    guint64 changing, constant;

    record_many(file, 0, 2, 2);
    script = open_bytes(file->data, file->len);
    CU_ASSERT_EQUAL(mn_script_next(script), 0);
    changing = mn_script_find(script, "meminfo")->serial;
    constant = mn_script_find(script, "pressure/memory")->serial;
    CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_NOT_EQUAL(mn_script_find(script, "meminfo")->serial, changing);
    CU_ASSERT_EQUAL(mn_script_find(script, "pressure/memory")->serial, constant);
}

/* However much of it there is, what there is is right, and more is never less. */
static void test_cut_at_any_byte(void) {
    g_autoptr(GByteArray) file = g_byte_array_new();
    guint last = 0;

    record_many(file, 0, 40, 10);
    for (gsize len = 0; len <= file->len; len++) {
        g_autoptr(MnScript) script = open_bytes(file->data, len);
        guint n = 0;

        for (; script && peek(script) >= 0 && mn_script_next(script) == 0; n++)
            CHECK(is_moment(script, n), "%" G_GSIZE_FORMAT " bytes: moment %u", len, n);
        CHECK(n >= last, "%" G_GSIZE_FORMAT " bytes: %u moments, %u before", len, n, last);
        last = n;
    }
    CU_ASSERT_EQUAL(last, 40);
}

static void test_flushed_is_there(void) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);
    g_autoptr(GByteArray) file = g_byte_array_new();

    for (guint i = 0; i < 10; i++) {
        g_autoptr(MnScript) script = NULL;

        record(recorder, i);
        mn_recorder_flush(recorder);
        take_output(recorder, file);
        script = open_bytes(file->data, file->len);
        CHECK(script && count_moments(script) == i + 1, "moment %u", i);
        CHECK(script && mn_script_get_fault(script), "moment %u: it is cut", i);
    }
}

/* The other frames are read, and it is told. */
static void test_damaged_frame(void) {
    g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
    guint frame_bytes;

    record_many(first, 0, 10, 10);
    frame_bytes = first->len;
    record_many(second, 10, 10, 10);
    for (guint i = 0; i < frame_bytes; i += 7) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_autoptr(MnScript) script = NULL;
        guint n;

        g_byte_array_append(file, first->data, first->len);
        g_byte_array_append(file, second->data, second->len);
        file->data[i] ^= 0x55;
        script = open_bytes(file->data, file->len);
        CHECK(script, "byte %u", i);
        n = script ? count_moments(script) : 0;
        CHECK(n >= 10 && n <= 20 && is_moment(script, 19), "byte %u: %u moments", i, n);
        CHECK(mn_script_get_fault(script), "byte %u", i);
    }
}

/* A recorder that was killed, and one that was started later: cat A B. */
static void test_joined_after_a_cut(void) {
    g_autoptr(GByteArray) file = g_byte_array_new(), second = g_byte_array_new();
    g_autoptr(MnScript) script = NULL;

    record_many(file, 0, 10, 5);
    g_byte_array_set_size(file, file->len - 20);
    record_many(second, 30, 10, 10);
    g_byte_array_append(file, second->data, second->len);
    script = open_bytes(file->data, file->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    CU_ASSERT(count_moments(script) >= 15);
    CU_ASSERT(is_moment(script, 39));
    CU_ASSERT_EQUAL(mn_script_get_time_us(script), 39 * SECOND_US);
}

static void test_clock_is_set(void) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(MnScript) script = NULL;

    for (guint i = 0; i < 3; i++) {
        mn_recorder_begin(recorder, UPTIME_US + i * SECOND_US, DATE_US + (i > 0 ? -3600 : 0) * SECOND_US);
        mn_recorder_end(recorder);
    }
    mn_recorder_end_frame(recorder);
    take_output(recorder, file);
    script = open_bytes(file->data, file->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_EQUAL(mn_script_get_date_us(script), DATE_US);
    CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_EQUAL(mn_script_get_date_us(script), DATE_US - 3600 * SECOND_US);
    CU_ASSERT_EQUAL(mn_script_get_time_us(script), SECOND_US);
    CU_ASSERT_EQUAL(mn_script_next(script), 0);
    CU_ASSERT_EQUAL(mn_script_get_time_us(script), 2 * SECOND_US);
}

/* The uptime begins again; the date tells how long it took. */
static void test_machine_is_started_again(void) {
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(MnScript) script = NULL;

    for (guint i = 0; i < 2; i++) {
        g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);

        mn_recorder_begin(recorder, UPTIME_US / (i + 1), DATE_US + i * 60 * SECOND_US);
        mn_recorder_end(recorder);
        mn_recorder_end_frame(recorder);
        take_output(recorder, file);
    }
    script = open_bytes(file->data, file->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(script);
    CU_ASSERT_EQUAL(count_moments(script), 2);
    CU_ASSERT_EQUAL(mn_script_get_time_us(script), 60 * SECOND_US);
    CU_ASSERT_EQUAL(mn_script_get_date_us(script), DATE_US + 60 * SECOND_US);
}

static void test_no_recording(void) {
    static const char zeros[4096];
    MnScript *script = NULL;
    GError *error = NULL;

    CU_ASSERT_PTR_NULL(open_bytes((const guint8 *)"", 0));
    CU_ASSERT_PTR_NULL(open_bytes((const guint8 *)zeros, sizeof zeros));
    CU_ASSERT_FALSE(mn_script_open("/nowhere/at/all", &script, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "/nowhere/at/all"));
    g_clear_error(&error);
    CU_ASSERT_FALSE(mn_script_open("/tmp", &script, &error));
    g_clear_error(&error);
}

/* A frame that is cut where it was flushed, with so much in it. */
static void record_flushed(GByteArray *file, guint n, guint n_moments_each) {
    g_autoptr(MnRecorder) recorder = mn_recorder_new(PAGE_BYTES);

    for (guint i = 0; i < n; i++) {
        record(recorder, i);
        if ((i + 1) % n_moments_each == 0)
            mn_recorder_flush(recorder);
    }
    take_output(recorder, file);
}

static void test_all_that_was_flushed(void) {
    for (guint n = 1; n <= 8192; n *= 2) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_autoptr(MnScript) script = NULL;

        record_flushed(file, n, n);
        script = open_bytes(file->data, file->len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(script);
        CHECK(count_moments(script) == n, "%u moments", n);
    }
}

static void test_gone_on_with_after_a_flush(void) {
    for (guint n = 1; n <= 8192; n *= 2) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        g_autoptr(MnScript) script = NULL;
        guint got;

        record_flushed(file, n, MAX(n / 4, 1));
        record_many(file, n, 3, 3);
        script = open_bytes(file->data, file->len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(script);
        got = count_moments(script);
        CHECK(got == n + 3, "%u moments, then 3: %u are read", n, got);
        CHECK(mn_script_get_fault(script) != NULL, "%u moments: that they were cut is told", n);
    }
}

static CU_TestInfo tests[] = {
    { "round trip", test_round_trip },
    { "texts come and go", test_texts_come_and_go },
    { "the serial of a text", test_serial },
    { "cut at any byte", test_cut_at_any_byte },
    { "what was flushed is there", test_flushed_is_there },
    { "a damaged frame", test_damaged_frame },
    { "joined after a cut", test_joined_after_a_cut },
    { "all that was flushed is there", test_all_that_was_flushed },
    { "gone on with after a flush", test_gone_on_with_after_a_flush },
    { "the clock is set", test_clock_is_set },
    { "the machine is started again", test_machine_is_started_again },
    { "what is no recording", test_no_recording },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "recording", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
