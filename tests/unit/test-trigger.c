/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pressure-stall triggers: what may be written, and when they have an event. tests/integration/test_pressure.py asks the
 * kernel the same. */
#include "runner.h"
#include "core/trigger.h"

#include <errno.h>
#include <string.h>

#define S G_TIME_SPAN_SECOND
#define BYTES(text) (text), sizeof(text) - 1

static void test_texts(void) {
    static const struct {
        const char *text;
        gsize len;
        MnStallKind kind;
        guint32 threshold_us, window_us; /* 0: refused */
    } rows[] = {
        { BYTES("some 150000 1000000\0"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 150000 1000000\n"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 150000 1000000"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("full 70000 2000000\0"), MN_STALL_FULL, 70000, 2000000 },
        { BYTES("full 50000 50000"), MN_STALL_FULL, 50000, 50000 },
        { BYTES("some 1 10000000"), MN_STALL_SOME, 1, 10000000 },
        { BYTES("some150000 1000000"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some \t\n\v\f\r\xa0 150000 \r1000000"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 150000 1000000junk"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 150000 1000000 and much more than fits"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 150000 1000000\0junk"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 000150000 0001000000"), MN_STALL_SOME, 150000, 1000000 },
        { BYTES("some 4295117296 1000000"), MN_STALL_SOME, 150000, 1000000 },          /* 2^32 + 150000 */
        { BYTES("some 150000         000010000001"), MN_STALL_SOME, 150000, 1000000 }, /* the 32nd byte is cut off */
        { BYTES(""), 0, 0, 0 },
        { BYTES("\0"), 0, 0, 0 },
        { BYTES("some"), 0, 0, 0 },
        { BYTES("some 150000"), 0, 0, 0 },
        { BYTES("some 150000 \n"), 0, 0, 0 },
        { BYTES("some 150000\0 1000000"), 0, 0, 0 },
        { BYTES("SOME 150000 1000000"), 0, 0, 0 },
        { BYTES(" some 150000 1000000"), 0, 0, 0 },
        { BYTES("most 150000 1000000"), 0, 0, 0 },
        { BYTES("some +150000 1000000"), 0, 0, 0 },
        { BYTES("some -150000 1000000"), 0, 0, 0 },
        { BYTES("some 150000,1000000"), 0, 0, 0 },
        { BYTES("some 0x150000 1000000"), 0, 0, 0 },
        { BYTES("some 0 1000000"), 0, 0, 0 },
        { BYTES("some 150000 0"), 0, 0, 0 },
        { BYTES("some 1000001 1000000"), 0, 0, 0 },
        { BYTES("some 150000 10000001"), 0, 0, 0 },
        { BYTES("some 150000 12000000"), 0, 0, 0 },
        { BYTES("some 1 49999"), 0, 0, 0 },
        { BYTES("some                    150000 1000000"), 0, 0, 0 }, /* what is left of it is too little */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_memdup2(rows[i].text, MAX(rows[i].len, 1)); /* what is read beyond is found */
        MnTrigger trigger, before;
        int r;

        memset(&before, 0x5a, sizeof before);
        trigger = before;
        r = mn_trigger_parse(text, rows[i].len, NULL, &trigger);
        CHECK(r == (rows[i].window_us == 0 ? -EINVAL : 0), "%s: %d", rows[i].text, r);
        if (r < 0) {
            /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) not a byte of it is to be written */
            CHECK(memcmp(&trigger, &before, sizeof before) == 0, "%s", rows[i].text);
            continue;
        }
        CHECK(trigger.kind == rows[i].kind && trigger.threshold_us == rows[i].threshold_us &&
                  trigger.window_us == rows[i].window_us,
              "%s: %u %u", rows[i].text, trigger.threshold_us, trigger.window_us);
    }
}

/* A trigger and the stalls that it sees, ten times in a window. */
typedef struct Course {
    MnTrigger trigger;
    gint64 now_us;
    guint64 total_us;
    gint64 last_event_us;
} Course;

static Course course_of(guint32 threshold_us, guint32 window_us) {
    return (Course){ .trigger = { .threshold_us = threshold_us, .window_us = window_us },
                     .now_us = 1000 * S,
                     .total_us = 3600 * S };
}

/* For so long so much of the time is stalled; how many events there are. */
static guint go_on(Course *self, gint64 for_us, guint percent) {
    gint64 step_us = self->trigger.window_us / 10;
    guint n_events = 0;

    for (gint64 us = 0; us < for_us; us += step_us) {
        self->now_us += step_us;
        self->total_us += (guint64)step_us * percent / 100;
        if (mn_trigger_advance(&self->trigger, self->now_us - step_us, self->now_us, self->total_us)) {
            n_events++;
            self->last_event_us = self->now_us;
        }
    }
    return n_events;
}

static void test_what_was_before_is_no_event(void) {
    Course course = course_of(150000, S);

    CU_ASSERT_FALSE(mn_trigger_advance(&course.trigger, 0, course.now_us, course.total_us));
    CU_ASSERT_EQUAL(go_on(&course, 60 * S, 0), 0);
    CU_ASSERT_EQUAL(go_on(&course, 100000, 1), 0); /* nor the first little thing after it */
    CU_ASSERT_EQUAL(go_on(&course, 60 * S, 14), 0);
}

static void test_an_event_each_window(void) {
    static const guint32 windows_us[] = { 50000, S, 10 * S };

    for (guint i = 0; i < G_N_ELEMENTS(windows_us); i++) {
        guint32 window_us = windows_us[i];
        Course course = course_of(window_us / 10, window_us);

        go_on(&course, window_us, 0);
        CHECK(go_on(&course, 100 * (gint64)window_us, 100) == 100, "%u", window_us);
        go_on(&course, window_us, 0); /* what had still to come */
        CHECK(go_on(&course, 100 * (gint64)window_us, 0) == 0, "%u", window_us);
    }
}

static void test_as_soon_as_the_threshold_is_reached(void) {
    Course course = course_of(300000, S);

    go_on(&course, 5 * S, 0);
    CU_ASSERT_EQUAL(go_on(&course, 200000, 100), 0);
    CU_ASSERT_EQUAL(go_on(&course, 100000, 100), 1);
}

static void test_what_is_reached_in_between_comes_later(void) {
    Course course = course_of(100000, S);
    gint64 first_us;

    go_on(&course, 5 * S, 0);
    CU_ASSERT_EQUAL(go_on(&course, 100000, 100), 1);
    first_us = course.last_event_us;
    CU_ASSERT_EQUAL(go_on(&course, 300000, 100), 0);
    CU_ASSERT_EQUAL(go_on(&course, 5 * S, 0), 1);
    CU_ASSERT_EQUAL(course.last_event_us, first_us + S);
}

static void test_half_a_window_each_is_one_window(void) {
    Course course = course_of(150000, S);

    go_on(&course, 950000, 0);
    CU_ASSERT_EQUAL(go_on(&course, 200000, 100), 1); /* across the end of a window */
}

static void test_a_total_that_goes_back_is_anothers(void) {
    Course course = course_of(150000, S);

    go_on(&course, 2 * S, 0);
    course.total_us = 0;
    CU_ASSERT_EQUAL(go_on(&course, S, 1), 0);
    CU_ASSERT_EQUAL(go_on(&course, 200000, 100), 1);
}

static CU_TestInfo tests[] = {
    { "texts", test_texts },
    { "what was before is no event", test_what_was_before_is_no_event },
    { "an event each window, while it lasts", test_an_event_each_window },
    { "as soon as the threshold is reached", test_as_soon_as_the_threshold_is_reached },
    { "what is reached in between comes when the window is over", test_what_is_reached_in_between_comes_later },
    { "half of it in a window and half in the next", test_half_a_window_each_is_one_window },
    { "a total that goes back is another's", test_a_total_that_goes_back_is_anothers },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "trigger", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
