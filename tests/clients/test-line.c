/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotifyfs: lines of the socket, and what the file errors shows. */
#include "line.h"
#include "runner.h"
#include "scan.h"

#include <errno.h>
#include <string.h>

static void test_events(void) {
    static const struct {
        const char *line;
        struct memnotifyfs_event expected; /* of kind 0 where it is none */
    } rows[] = {
        { "3887.453731 - available reached 123421 617103",
          { MEMNOTIFYFS_REACHED, 0, 3887453731, 123421, 617103, 0, "available", { 0 } } },
        { "0.000001 - used left 0 18446744073709551615", { MEMNOTIFYFS_LEFT, 0, 1, 0, G_MAXUINT64, 0, "used", { 0 } } },
        { "1.000000 - total changed 7 9", { MEMNOTIFYFS_TOTAL_CHANGED, 0, 1000000, 7, 9, 0, "total", { 0 } } },
        { "1.000000 - - removed", { MEMNOTIFYFS_REMOVED, 0, 1000000, 0, 0, 0, "", { 0 } } },
        { "1.000000 - - returned", { MEMNOTIFYFS_RETURNED, 0, 1000000, 0, 0, 0, "", { 0 } } },
        { "1.000000 - - lost 12", { MEMNOTIFYFS_LOST, 0, 1000000, 0, 0, 12, "", { 0 } } },
        { "1.000000 low used reached 1 2 more", { MEMNOTIFYFS_REACHED, 0, 1000000, 1, 2, 0, "used", { 0 } } },
        { "1.000000 - - last_call", { MEMNOTIFYFS_LAST_CALL, 0, 1000000, 0, 0, 0, "", { 0 } } },
        { "1.000000 - - removed for good", { MEMNOTIFYFS_REMOVED, 0, 1000000, 0, 0, 0, "", { 0 } } },
        { .line = "" },
        { .line = "1" },
        { .line = "1.5 - used reached 1 2" }, /* not microseconds */
        { .line = "1.0000000 - used reached 1 2" },
        { .line = "99999999999999.000000 - used reached 1 2" },
        { .line = "1.000000" },
        { .line = "1.000000 - used" },
        { .line = "1.000000 - used reached" },
        { .line = "1.000000 - used reached 1" },
        { .line = "1.000000 - used reached -1 2" },
        { .line = "1.000000 - used reached 18446744073709551616 2" },
        { .line = "1.000000 - used trembled 1 2" },
        { .line = "1.000000 - - removedly" },
        { .line = "1.000000 - - lost many" },
        { .line = "1.000000 - a_meter_whose_name_is_much_too_long reached 1 2" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct memnotifyfs_event event = { .kind = 4711 };

        if (rows[i].expected.kind == 0) {
            CHECK(line_parse_event(rows[i].line, &event) == -EINVAL && event.kind == 4711, "%s", rows[i].line);
            continue;
        }
        CHECK(line_parse_event(rows[i].line, &event) == 0, "%s", rows[i].line);
        CHECK(memcmp(&event, &rows[i].expected, sizeof event) == 0, "%s", rows[i].line);
    }
}

static void test_meters(void) {
    static const struct {
        const char *line;
        int expected;
        struct line_meter meter;
    } rows[] = {
        { "used 5", 0, { "used", 5, false, false, 0 } },
        { "used 5 limit 7", 0, { "used", 5, true, false, 7 } },
        { "used 5 reached 4", 0, { "used", 5, true, true, 4 } },
        { "used 5 reached 4 and more", 0, { "used", 5, true, true, 4 } },
        { "used 5 trembling", 0, { "used", 5, false, false, 0 } },
        { "used", -EINVAL, { .name = "" } },
        { "used x", -EINVAL, { .name = "" } },
        { "used 5 limit", 0, { "used", 5, false, false, 0 } },
        { "used 5 limit x", -EINVAL, { .name = "" } },
        { " used 5", -EINVAL, { .name = "" } },
        { "", -EINVAL, { .name = "" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct line_meter meter = { 0 };
        int r = line_parse_meter(rows[i].line, &meter);

        CHECK(r == rows[i].expected, "%s", rows[i].line);
        CHECK(strcmp(meter.name, rows[i].meter.name) == 0 && meter.pages == rows[i].meter.pages &&
                  meter.has_limit == rows[i].meter.has_limit && meter.is_reached == rows[i].meter.is_reached &&
                  meter.limit_pages == rows[i].meter.limit_pages,
              "%s", rows[i].line);
    }
}

static void test_errors(void) {
    static const struct {
        const char *line;
        int expected;
        unsigned column;
        const char *reason;
    } rows[] = {
        { "error EINVAL: column 7: there is no meter of that name", -EINVAL, 7, "there is no meter of that name" },
        { "error EDQUOT: it is more than one user may have", -EDQUOT, 0, "it is more than one user may have" },
        { "error ENODEV: gone", -ENODEV, 0, "gone" },
        { "error EOPNOTSUPP: no", -ENOTSUP, 0, "no" },
        { "error ENEW: of a newer server", -EPROTO, 0, "of a newer server" },
        { "error EINVAL: column 99999: far", -EINVAL, 0, "column 99999: far" },
        { "error EINVAL: column: x", -EINVAL, 0, "column: x" },
        { "error EINVAL", -EPROTO, 0, "error EINVAL" },
        { "nonsense", -EPROTO, 0, "nonsense" },
    };
    char line[1000] = "error EINVAL: ";
    struct refusal refusal;

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(line_parse_error(rows[i].line, &refusal) == rows[i].expected, "%s", rows[i].line);
        CHECK(refusal.column == rows[i].column, "%s", rows[i].line);
        CHECK(strcmp(refusal.reason, rows[i].reason) == 0, "%s", rows[i].line);
    }

    memset(line + strlen(line), 'x', sizeof line - 1 - strlen(line));
    CU_ASSERT_EQUAL(line_parse_error(line, &refusal), -EINVAL);
    CU_ASSERT_EQUAL(strlen(refusal.reason), sizeof refusal.reason - 1);
}

static void test_refusals_of_files(void) {
    static const struct {
        const char *shown, *text;
        unsigned column;
        const char *reason;
    } rows[] = {
        { "3086.214406 memnotify: there is no meter of that name\n    usd 80%\n    ^\n", "usd 80%", 1,
          "there is no meter of that name" },
        { "1.000000 memnotify: a\n    x\n    ^\n2.000000 meters/used: b\n    y\n    ^\n3.000000 memnotify: c\n    used "
          "x\n"
          "         ^\n",
          "used x", 6, "c" },
        { "1.000000 memnotify: a\n    used x\n         ^\n2.000000 meters/used: b\n    y\n    ^\n", "used x", 6, "a" },
        { "1.000000 memnotify: a\n    ...long x\n            ^\n", "used 1 active 1 very long x", 0, "a" },
        { "1.000000 memnotify: it is more\n    used 1\n", "used 1", 0, "it is more" },
        { "1.000000 memnotify: cut", "x", 0, "cut" },
        { "1.000000 memnotify", "x", 0, "" },
        { "", "x", 0, "" },
        { "\n\n", "x", 0, "" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct refusal refusal = { 4711, "before" };

        refusal_find(rows[i].shown, "memnotify", rows[i].text, &refusal);
        CHECK(refusal.column == rows[i].column, "%s", rows[i].shown);
        CHECK(strcmp(refusal.reason, rows[i].reason) == 0, "%s", rows[i].shown);
    }
}

static CU_TestInfo tests[] = {
    { "events", test_events },
    { "meters with and without a limit", test_meters },
    { "errors and their columns", test_errors },
    { "the last refusal that the file errors shows", test_refusals_of_files },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "line", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
