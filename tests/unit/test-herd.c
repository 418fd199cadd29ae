/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mem_notify v6 as tables, without a clock. */
#include "allocations.h"
#include "core/herd.h"
#include "runner.h"

#define MOST G_MAXUINT64

static void test_formula(void) {
    static const struct {
        guint watchers, woken;
        gint64 guard_ms;
    } rows[] = {
        { 0, 1, 0 },          { 1, 1, 200 },          { 15, 1, 3000 },           { 16, 2, 3200 },
        { 17, 2, 3400 },      { 49, 4, 9800 },        { 50, 4, 10000 },          { 51, 4, 10000 },
        { 160, 11, 10000 },   { 200, 13, 10000 },     { 1583, 99, 10000 },       { 1584, 100, 10000 },
        { 1600, 100, 10000 }, { 100000, 100, 10000 }, { G_MAXUINT, 100, 10000 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(mn_herd_woken(rows[i].watchers) == rows[i].woken, "%u watchers", rows[i].watchers);
        CHECK(mn_herd_guard_us(rows[i].watchers) == rows[i].guard_ms * 1000, "%u watchers", rows[i].watchers);
    }
}

static void test_share(void) {
    static const struct {
        guint watchers, signalled, signals, wakes;
    } rows[] = {
        { 0, 0, 0, 0 },      { 1, 0, 0, 1 },         { 1, 1, 1, 0 },
        { 2, 1, 1, 1 },      { 15, 5, 1, 1 },        { 16, 8, 1, 1 },
        { 16, 1, 1, 2 },     { 16, 16, 2, 0 },       { 200, 0, 0, 13 },
        { 200, 200, 13, 0 }, { 200, 100, 7, 7 },     { 200, 1, 1, 13 },
        { 200, 199, 13, 1 }, { 3200, 1600, 50, 50 }, { G_MAXUINT, G_MAXUINT, 100, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnHerdShare share = mn_herd_share(rows[i].watchers, rows[i].signalled);

        CHECK(share.signals == rows[i].signals && share.wakes == rows[i].wakes, "%u of %u: %u and %u",
              rows[i].signalled, rows[i].watchers, share.signals, share.wakes);
    }
}

static void test_small_zones(void) {
    static const struct {
        guint64 present, node_present;
        gboolean ignored;
    } rows[] = {
        { 100, 1000, FALSE },  { 99, 1000, TRUE },
        { 99, 999, FALSE },    { 98, 999, TRUE },
        { 0, 1000, TRUE },     { 0, 9, FALSE },
        { 1000, 1000, FALSE }, { 3998, 65406, TRUE },
        { MOST, MOST, FALSE }, { MOST / 10 - 1, MOST, TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnZone zone = { .present = rows[i].present, .node_present = rows[i].node_present };

        CHECK(mn_herd_ignores(&zone) == rows[i].ignored, "row %u", i);
    }
}

static void test_threshold(void) {
    MnZone zone = { .high = 600, .upper_reserve = 195, .own_reserve = 9 };

    CU_ASSERT_EQUAL(mn_herd_threshold(&zone), 1590);
    zone.high = MOST - 1;
    CU_ASSERT_EQUAL(mn_herd_threshold(&zone), MOST);
    zone.high = MOST / 2 + 1;
    zone.upper_reserve = 0;
    CU_ASSERT_EQUAL(mn_herd_threshold(&zone), MOST);
}

/* A machine of one node: zone A with a threshold of 200 pages, zone B with one of 300, and a zone
 * too small to count. */
enum {
    A,
    B,
    SMALL,
    N_ZONES
};

typedef struct Machine {
    MnZone zones[N_ZONES];
    MnHerd herd;
    gint64 now_us;
} Machine;

static void machine_init(Machine *self) {
    *self = (Machine){ .now_us = 5000 * 1000 };
    self->zones[A] = (MnZone){ .name = "A", .present = 5000, .managed = 5000, .high = 100, .free = 4000 };
    self->zones[B] = (MnZone){ .name = "B", .present = 4900, .managed = 4900, .high = 150, .free = 4000 };
    self->zones[SMALL] = (MnZone){ .name = "S", .present = 100, .managed = 100, .high = 100, .free = 1 };
    for (guint i = 0; i < N_ZONES; i++)
        self->zones[i].node_present = 10000;
}

static gboolean advance(Machine *self, gint64 ms, gboolean is_reclaimed) {
    MnZones zones = { .zones = self->zones, .n = N_ZONES };

    self->now_us += ms * 1000;
    return mn_herd_advance(&self->herd, &zones, is_reclaimed, self->now_us);
}

typedef struct Step {
    const char *name;
    gint64 ms; /* since the step before */
    gboolean is_reclaimed;
    guint64 free_a, free_b;
    gboolean notify;
    int status_a, status_b;
} Step;

static void check_steps(const Step *steps, guint n_steps) {
    Machine machine;

    machine_init(&machine);
    for (guint i = 0; i < n_steps; i++) {
        const Step *step = &steps[i];
        gboolean notify;

        machine.zones[A].free = step->free_a;
        machine.zones[B].free = step->free_b;
        notify = advance(&machine, step->ms, step->is_reclaimed);
        CHECK(notify == step->notify, "%s", step->name);
        CHECK(mn_herd_get_status(&machine.herd, &machine.zones[A]) == step->status_a, "%s: A", step->name);
        CHECK(mn_herd_get_status(&machine.herd, &machine.zones[B]) == step->status_b, "%s: B", step->name);
        CHECK(mn_herd_get_status(&machine.herd, &machine.zones[SMALL]) == -1, "%s: small", step->name);
        CHECK(machine.herd.n_pressed == (guint)(step->status_a + step->status_b), "%s: %u", step->name,
              machine.herd.n_pressed);
    }
    mn_herd_clear(&machine.herd);
}

static void test_pressure(void) {
    static const Step steps[] = {
        { "quiet", 0, FALSE, 4000, 4000, FALSE, 0, 0 },
        { "reclaim with enough free pages", 1000, TRUE, 201, 301, FALSE, 0, 0 },
        { "few free pages without reclaim", 1000, FALSE, 200, 300, FALSE, 0, 0 },
        { "both in A", 1000, TRUE, 200, 301, TRUE, 1, 0 },
        { "again too soon", 199, TRUE, 200, 301, FALSE, 1, 0 },
        { "again after 200 ms", 1, TRUE, 200, 301, TRUE, 1, 0 },
        { "B too, but too soon", 100, TRUE, 200, 300, FALSE, 1, 0 },
        { "B too", 100, TRUE, 200, 300, TRUE, 1, 1 },
        { "relief of A is not reported", 200, FALSE, 201, 300, FALSE, 0, 0 },
    };

    check_steps(steps, G_N_ELEMENTS(steps));
}

static void test_relief(void) {
    static const Step steps[] = {
        { "pressure in both", 0, TRUE, 10, 10, TRUE, 1, 1 },
        { "one moment without reclaim is none", 199, FALSE, 10, 10, FALSE, 1, 1 },
        { "200 ms without it are", 1, FALSE, 10, 10, FALSE, 0, 0 },
        { "pressure again", 1, TRUE, 10, 10, TRUE, 1, 1 },
        { "enough free pages in A, within the interval", 10, TRUE, 4000, 10, FALSE, 0, 1 },
        { "A falls again, within the interval", 10, TRUE, 10, 10, FALSE, 0, 1 },
        { "A after the interval", 180, TRUE, 10, 10, TRUE, 1, 1 },
    };

    check_steps(steps, G_N_ELEMENTS(steps));
}

static void test_empty_and_small_zones(void) {
    Machine machine;

    machine_init(&machine);
    machine.zones[SMALL].free = 0;
    CU_ASSERT_FALSE(advance(&machine, 1000, TRUE)); /* only the small one is short */

    machine.zones[A] = (MnZone){ .name = "A", .node_present = 9 }; /* too empty to be too small */
    CU_ASSERT_FALSE(advance(&machine, 1000, TRUE));
    CU_ASSERT_EQUAL(mn_herd_get_status(&machine.herd, &machine.zones[A]), 0);
    mn_herd_clear(&machine.herd);
}

static void test_walking_on(void) {
    Machine machine;
    guint n = 0;

    machine_init(&machine);
    machine.zones[A].free = 10;
    for (guint i = 0; i < 100; i++) /* seen every 10 ms for a second */
        n += advance(&machine, 10, TRUE);
    CU_ASSERT_EQUAL(n, 5);
    mn_herd_clear(&machine.herd);
}

/* Zones that come, go and change places keep their state; new ones begin without. */
static void test_hot_plug(void) {
    MnZone both[] = {
        { .node = 0, .name = "Normal", .present = 5000, .managed = 5000, .node_present = 5000, .high = 100 },
        { .node = 1,
          .name = "Normal",
          .present = 5000,
          .managed = 5000,
          .node_present = 5000,
          .high = 100,
          .free = 4000 }
    };
    MnZone turned[] = { both[1], both[0] };
    MnZones zones = { .zones = both, .n = 2 };
    MnHerd herd = { 0 };
    gint64 now_us = 0;
    guint64 before;

    CU_ASSERT_TRUE(mn_herd_advance(&herd, &zones, TRUE, now_us));
    before = allocations();
    zones.zones = turned;
    mn_herd_advance(&herd, &zones, FALSE, now_us += 1000);
    CU_ASSERT_EQUAL(mn_herd_get_status(&herd, &both[0]), 1);
    CU_ASSERT_EQUAL(mn_herd_get_status(&herd, &both[1]), 0);

    zones.n = 1; /* node 0 goes */
    mn_herd_advance(&herd, &zones, FALSE, now_us += 1000);
    CU_ASSERT_EQUAL(herd.n_pressed, 0);
    zones.n = 2; /* and comes back */
    mn_herd_advance(&herd, &zones, FALSE, now_us += 1000);
    CU_ASSERT_EQUAL(mn_herd_get_status(&herd, &both[0]), 0);
    CU_ASSERT_EQUAL(allocations(), before);
    mn_herd_clear(&herd);
}

static void test_reset(void) {
    Machine machine;

    machine_init(&machine);
    machine.zones[A].free = 10;
    CU_ASSERT_TRUE(advance(&machine, 0, TRUE));
    mn_herd_reset(&machine.herd);
    CU_ASSERT_EQUAL(mn_herd_get_status(&machine.herd, &machine.zones[A]), 0);
    CU_ASSERT_TRUE(advance(&machine, 1, TRUE)); /* there was no notification yet */
    mn_herd_clear(&machine.herd);
}

static CU_TestInfo tests[] = {
    { "how many are woken, and how long each is silent", test_formula },
    { "the share of signals", test_share },
    { "small zones", test_small_zones },
    { "the threshold", test_threshold },
    { "pressure", test_pressure },
    { "relief", test_relief },
    { "empty and small zones are left out", test_empty_and_small_zones },
    { "under lasting pressure one notification in 200 ms", test_walking_on },
    { "hot-plugged nodes", test_hot_plug },
    { "after a reset nothing is known", test_reset },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "herd", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
