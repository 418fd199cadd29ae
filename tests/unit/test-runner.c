/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When `memnotify on` runs its command, without a clock and without processes. */
#include "command/runner.h"
#include "runner.h"

#include <string.h>

#define NEVER G_MAXINT64

typedef enum Step {
    COMES,
    BEGINS,
    ENDS,
    IS_REVOKED
} Step;

/* What happens at a time, then what a run would be for at that time, and when to ask again. */
typedef struct Row {
    gint64 time_us;
    Step step;
    const char *meter;     /* of what comes */
    const char *due_meter; /* NULL: nothing is due */
    gint64 wake_us;
} Row;

static void check_rows(gint64 cooldown_us, const Row *rows, gsize n_rows) {
    CmdRunner runner;

    cmd_runner_init(&runner, cooldown_us);
    CHECK(!cmd_runner_get_due(&runner, 1000), "nothing is due at first");
    CHECK(cmd_runner_get_wake_us(&runner) == NEVER, "nobody is woken at first");
    for (gsize i = 0; i < n_rows; i++) {
        const Row *row = &rows[i];
        const CmdCause *due;
        CmdCause cause = { 0 };

        if (row->step == COMES) {
            g_strlcpy(cause.meter, row->meter, sizeof cause.meter);
            cmd_runner_add(&runner, &cause);
        } else if (row->step == BEGINS) {
            cmd_runner_begin(&runner);
        } else if (row->step == IS_REVOKED) {
            cmd_runner_revoke(&runner);
        } else {
            cmd_runner_end(&runner, row->time_us);
        }
        due = cmd_runner_get_due(&runner, row->time_us);
        CHECK(g_strcmp0(due ? due->meter : NULL, row->due_meter) == 0, "row %zu: %s", i, due ? due->meter : "nothing");
        CHECK(cmd_runner_get_wake_us(&runner) == row->wake_us, "row %zu: %" G_GINT64_FORMAT, i,
              cmd_runner_get_wake_us(&runner));
    }
}

static void test_at_once(void) {
    static const Row rows[] = {
        { 1000, COMES, "used", "used", 0 },
        { 1000, BEGINS, NULL, NULL, NEVER },
        { 2000, ENDS, NULL, NULL, NEVER },
        { 3000, COMES, "free", "free", 2000 },
    };

    check_rows(0, rows, G_N_ELEMENTS(rows));
}

static void test_meanwhile(void) {
    static const Row rows[] = {
        { 1000, COMES, "used", "used", 0 },    { 1000, BEGINS, NULL, NULL, NEVER },
        { 1100, COMES, "free", NULL, NEVER },  { 1200, COMES, "used", NULL, NEVER },
        { 1300, COMES, "total", NULL, NEVER }, { 2000, ENDS, NULL, "total", 2000 },
        { 2000, BEGINS, NULL, NULL, NEVER },   { 3000, ENDS, NULL, NULL, NEVER },
    };

    check_rows(0, rows, G_N_ELEMENTS(rows));
}

static void test_cooldown(void) {
    static const Row rows[] = {
        { 1000, COMES, "used", "used", 0 },  { 1000, BEGINS, NULL, NULL, NEVER },
        { 2000, ENDS, NULL, NULL, NEVER },   { 2100, COMES, "free", NULL, 2500 },
        { 2499, COMES, "used", NULL, 2500 }, { 2500, COMES, "total", "total", 2500 },
        { 2500, BEGINS, NULL, NULL, NEVER }, { 2600, COMES, "free", NULL, NEVER },
        { 2700, ENDS, NULL, NULL, 3200 },    { 9000, COMES, "used", "used", 3200 },
    };

    check_rows(500, rows, G_N_ELEMENTS(rows));
}

/* A run that could not be begun is due as before. */
static void test_not_begun(void) {
    static const Row rows[] = {
        { 1000, COMES, "used", "used", 0 },
        { 1500, COMES, "free", "free", 0 },
        { 1500, BEGINS, NULL, NULL, NEVER },
        { 2000, ENDS, NULL, NULL, NEVER },
    };

    check_rows(0, rows, G_N_ELEMENTS(rows));
}

static void test_revoked(void) {
    static const Row rows[] = {
        { 1000, COMES, "used", "used", 0 },       { 1000, BEGINS, NULL, NULL, NEVER },
        { 2000, ENDS, NULL, NULL, NEVER },        { 3000, COMES, "free", "free", 2500 },
        { 3000, BEGINS, NULL, NULL, NEVER },      { 3100, IS_REVOKED, NULL, "free", 2500 },
        { 3100, BEGINS, NULL, NULL, NEVER },      { 3200, COMES, "used", NULL, NEVER },
        { 3300, IS_REVOKED, NULL, "used", 2500 },
    };

    check_rows(500, rows, G_N_ELEMENTS(rows));
}

static CU_TestInfo tests[] = {
    { "the first runs at once, and so does who comes when nothing runs", test_at_once },
    { "what comes meanwhile is one more run, for the last of it", test_meanwhile },
    { "so is what comes before the cooldown is over", test_cooldown },
    { "what was not begun is due", test_not_begun },
    { "so is what has not begun after all, but for the last", test_revoked },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "command-runner", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
