/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown on screens of all sizes, and which meters. */
#include "display.h"
#include "runner.h"

static guint sum(const CmdLayout *layout) {
    return layout->state + layout->limits + layout->graph + layout->events + layout->processes;
}

/* A title and the keys have a row each, and all others are used. */
static void test_all_rows_are_used(void) {
    for (guint rows = 0; rows < 1000; rows++) {
        CmdLayout layout = cmd_layout_make(rows);

        CHECK(sum(&layout) == (rows > 2 ? rows - 2 : 0), "%u rows", rows);
    }
}

static void test_what_has_room(void) {
    static const struct {
        guint rows;
        gboolean has_processes;
        gboolean has_graph;
        gboolean has_events;
    } rows[] = {
        { 0, FALSE, FALSE, FALSE }, { 5, FALSE, FALSE, FALSE }, { 10, TRUE, FALSE, FALSE }, { 12, FALSE, TRUE, FALSE },
        { 16, TRUE, TRUE, FALSE },  { 24, TRUE, TRUE, TRUE },   { 60, TRUE, TRUE, TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CmdLayout layout = cmd_layout_make(rows[i].rows);

        CHECK((layout.processes > 0) == rows[i].has_processes, "processes in %u", rows[i].rows);
        CHECK((layout.graph > 0) == rows[i].has_graph, "graph in %u", rows[i].rows);
        CHECK((layout.events > 0) == rows[i].has_events, "events in %u", rows[i].rows);
    }
}

static void take(CmdDisplay *display, const CmdFigures *figures, gint64 time_us) {
    CmdFound found = { .has_figures = TRUE, .figures = *figures };

    cmd_display_take(display, &found, time_us);
}

static void test_only_meters_with_something_are_shown(void) {
    static const MnMeterId order[] = { MN_METER_AVAILABLE, MN_METER_USED, MN_METER_FREE, MN_METER_AVAILABLE };
    CmdFigures figures = { .offered = MN_METER_BIT(MN_METER_USED) | MN_METER_BIT(MN_METER_TOTAL) |
                                      MN_METER_BIT(MN_METER_FREE) | MN_METER_BIT(MN_METER_AVAILABLE) |
                                      MN_METER_BIT(MN_METER_SWAP_USED) | MN_METER_BIT(MN_METER_SWAP_TOTAL),
                           .reading.pages[MN_METER_TOTAL] = 1000 };
    CmdDisplay display;

    CU_ASSERT_EQUAL_FATAL(cmd_display_init(&display, G_USEC_PER_SEC), 0);
    take(&display, &figures, 1);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        CHECK(display.meter == order[i], "%u: %s", i, mn_meters[display.meter].name);
        cmd_display_turn(&display, FALSE);
    }
    for (guint i = G_N_ELEMENTS(order); i-- > 0;) {
        cmd_display_turn(&display, TRUE);
        CHECK(display.meter == order[i], "back to %u: %s", i, mn_meters[display.meter].name);
    }

    figures.offered &= ~MN_METER_BIT(MN_METER_AVAILABLE);
    take(&display, &figures, 2);
    CU_ASSERT_EQUAL(display.meter, MN_METER_USED);
    cmd_display_clear(&display);
}

/* What was there last stays on the screen, and the graph gets nothing of it. */
static void test_a_server_that_is_away_leaves_the_last_figures(void) {
    CmdFigures figures = { .offered = MN_METER_BIT(MN_METER_USED), .reading.pages = { [MN_METER_TOTAL] = 1000 } };
    CmdFound away = { .lack = g_strdup("it has ended") };
    CmdDisplay display;

    CU_ASSERT_EQUAL_FATAL(cmd_display_init(&display, G_USEC_PER_SEC), 0);
    take(&display, &figures, 1);
    cmd_display_take(&display, &away, 2);
    CU_ASSERT_EQUAL(display.found.figures.reading.pages[MN_METER_TOTAL], 1000);
    CU_ASSERT_STRING_EQUAL(display.found.lack, "it has ended");
    CU_ASSERT_EQUAL(display.history.n, 1);
    take(&display, &figures, 3);
    CU_ASSERT_PTR_NULL(display.found.lack);
    CU_ASSERT_EQUAL(display.history.n, 2);
    cmd_display_clear(&display);
}

static CU_TestInfo tests[] = {
    { "all rows are used", test_all_rows_are_used },
    { "what has room", test_what_has_room },
    { "only meters with something are shown", test_only_meters_with_something_are_shown },
    { "a server that is away leaves the last figures", test_a_server_that_is_away_leaves_the_last_figures },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "display", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
