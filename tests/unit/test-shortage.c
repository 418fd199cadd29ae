/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conditions of oom_notify and oom_notify_critical, without a clock. */
#include "core/shortage.h"
#include "runner.h"

#include <string.h>

#define S G_TIME_SPAN_SECOND
#define MS G_TIME_SPAN_MILLISECOND

/* One zone with min 100 and low 120. */
typedef struct Machine {
    MnShortage shortage;
    MnZone zone;
    MnSample sample;
    gint64 now_us;
} Machine;

static void machine_init(Machine *self, MnShortageKind kind) {
    *self =
        (Machine){ .now_us = 3 * MS, /* the machine has just been switched on */
                   .zone = { .name = "Normal", .present = 9000, .managed = 9000, .free = 5000, .min = 100, .low = 120 },
                   .sample = { .known = ~G_GUINT64_CONSTANT(0) } };
    self->sample.counters[MN_COUNTER_SWAPPED_OUT] = 777777;
    self->sample.counters[MN_COUNTER_STALLED_US] = 60 * S;
    mn_shortage_init(&self->shortage, kind);
}

static void advance(Machine *self, gint64 us) {
    MnZones zones = { .zones = &self->zone, .n = 1 };

    self->now_us += us;
    mn_shortage_advance(&self->shortage, &self->sample, &zones, self->now_us);
}

static void check_reason(Machine *self, const char *expected) {
    char line[MN_SHORTAGE_LINE_BYTES];

    mn_shortage_describe(&self->shortage, self->now_us, line);
    CHECK(strcmp(line, expected) == 0, "'%s'", line);
    CHECK(mn_shortage_holds(&self->shortage, self->now_us) == (strcmp(expected, "ok\n") != 0), "'%s'", expected);
}

static void test_watermark(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_ORDINARY);
    advance(&machine, 0);
    check_reason(&machine, "ok\n");
    machine.zone.free = 120;
    advance(&machine, S);
    check_reason(&machine, "low node=0 zone=Normal free=120 low=120\n");
    machine.zone.free = 121;
    advance(&machine, S);
    check_reason(&machine, "ok\n");

    machine_init(&machine, MN_SHORTAGE_CRITICAL);
    machine.zone.free = 101;
    advance(&machine, 0);
    check_reason(&machine, "ok\n");
    machine.zone.free = 100;
    advance(&machine, 1);
    check_reason(&machine, "min node=0 zone=Normal free=100 min=100\n");
}

static void test_already_below(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_ORDINARY);
    machine.zone.free = 1;
    advance(&machine, 0);
    CU_ASSERT_TRUE(mn_shortage_holds(&machine.shortage, machine.now_us));
}

static void test_swapping(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_ORDINARY);
    advance(&machine, 0); /* 777777 pages since boot are no event */
    check_reason(&machine, "ok\n");
    advance(&machine, S);
    check_reason(&machine, "ok\n");

    machine.sample.counters[MN_COUNTER_SWAPPED_OUT] += 31;
    advance(&machine, S);
    check_reason(&machine, "swapping pages=31\n");
    advance(&machine, S - 1);
    check_reason(&machine, "swapping pages=31\n");
    advance(&machine, 1);
    check_reason(&machine, "ok\n");

    machine.sample.counters[MN_COUNTER_SWAPPED_OUT] -= 1000;
    advance(&machine, S);
    check_reason(&machine, "ok\n");
    machine.sample.counters[MN_COUNTER_SWAPPED_OUT] += 1; /* counted from where it went back to */
    advance(&machine, S);
    check_reason(&machine, "swapping pages=1\n");
}

static void test_critical_does_not_mind_swapping(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_CRITICAL);
    advance(&machine, 0);
    machine.sample.counters[MN_COUNTER_SWAPPED_OUT] += 31;
    advance(&machine, S);
    check_reason(&machine, "ok\n");
}

/* Waits `stalled_us` in each of `n` steps of `step_us`, and tells whether it ever counted. */
static gboolean waits(Machine *machine, guint n, gint64 step_us, gint64 stalled_us) {
    gboolean ever = FALSE;

    for (guint i = 0; i < n; i++) {
        machine->sample.counters[MN_COUNTER_STALLED_US] += stalled_us;
        advance(machine, step_us);
        ever |= mn_shortage_holds(&machine->shortage, machine->now_us);
    }
    return ever;
}

static void test_stalls(void) {
    static const struct {
        const char *name;
        guint n;
        gint64 step_us, stalled_us;
        gboolean expected;
    } rows[] = {
        { "half of each second", 5, S, S / 2, FALSE },
        { "more than half", 5, S, S / 2 + 1, TRUE },
        { "half of it, seen every 10 ms", 500, 10 * MS, 5 * MS, FALSE },
        { "more than half, seen every 10 ms", 500, 10 * MS, 6 * MS, TRUE },
        { "all of half a second", 50, 10 * MS, 10 * MS, FALSE },
        { "all of a little more", 51, 10 * MS, 10 * MS, TRUE },
        { "1.4 s of 3, seen late", 1, 3 * S, 1400 * MS, FALSE },
        { "1.6 s of 3, seen late", 1, 3 * S, 1600 * MS, TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Machine machine;

        machine_init(&machine, MN_SHORTAGE_CRITICAL);
        advance(&machine, 0);
        CHECK(waits(&machine, rows[i].n, rows[i].step_us, rows[i].stalled_us) == rows[i].expected, "%s", rows[i].name);
    }
}

static void test_stall_ends(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_CRITICAL);
    advance(&machine, 0);
    CU_ASSERT_TRUE(waits(&machine, 1, S, 700 * MS));
    check_reason(&machine, "stalled percent=70\n");
    CU_ASSERT_TRUE(waits(&machine, 3, 250 * MS, 0));
    CU_ASSERT_FALSE(waits(&machine, 3, 500 * MS, 0) && mn_shortage_holds(&machine.shortage, machine.now_us));
    check_reason(&machine, "ok\n");

    machine.sample.counters[MN_COUNTER_STALLED_US] = 0; /* goes backwards */
    CU_ASSERT_FALSE(waits(&machine, 1, S, 0));
}

/* pressure/memory comes when psi is there and goes when it is not: no 60 s at once. */
static void test_pressure_appears(void) {
    Machine machine;

    machine_init(&machine, MN_SHORTAGE_CRITICAL);
    machine.sample.known = 0;
    machine.sample.counters[MN_COUNTER_STALLED_US] = 0;
    advance(&machine, 0);
    machine.sample.known = MN_COUNTER_BIT(MN_COUNTER_STALLED_US);
    CU_ASSERT_FALSE(waits(&machine, 1, S, 60 * S));
    CU_ASSERT_TRUE(waits(&machine, 1, S, S));
    machine.sample.known = 0;
    CU_ASSERT_FALSE(waits(&machine, 3, S, S) && mn_shortage_holds(&machine.shortage, machine.now_us));
}

static CU_TestInfo tests[] = {
    { "below a watermark", test_watermark },
    { "below a watermark from the beginning", test_already_below },
    { "swapping, for a second", test_swapping },
    { "swapping is not critical", test_critical_does_not_mind_swapping },
    { "waiting for more than half of a second", test_stalls },
    { "waiting ends", test_stall_ends },
    { "pressure/memory appears and vanishes", test_pressure_appears },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "shortage", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
