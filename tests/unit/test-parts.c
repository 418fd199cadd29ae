/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"
#include "runner.h"

static void test_parts_are_all_of_memory(void) {
    static const struct {
        guint64 total, swap_total, free, anon, file, shmem;
        guint64 other, cache, shared, anonymous;
    } rows[] = {
        { 1000, 0, 100, 300, 400, 50, 200, 350, 50, 300 }, { 1500, 500, 100, 300, 400, 50, 200, 350, 50, 300 },
        { 1000, 0, 900, 300, 400, 50, 0, 0, 0, 100 }, /* numbers of different moments */
        { 1000, 0, 0, 0, 10, 50, 950, 0, 50, 0 },     /* shared memory is part of file */
        { 500, 800, 100, 100, 100, 0, 0, 0, 0, 0 },   /* no memory */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint64 pages[MN_N_METERS] = {
            [MN_METER_TOTAL] = rows[i].total, [MN_METER_SWAP_TOTAL] = rows[i].swap_total,
            [MN_METER_FREE] = rows[i].free,   [MN_METER_ANON] = rows[i].anon,
            [MN_METER_FILE] = rows[i].file,   [MN_METER_SHMEM] = rows[i].shmem,
        };
        guint64 sum = 0;

        for (guint part = 0; part < CMD_N_PARTS; part++)
            sum += cmd_part_pages(pages, part);
        CHECK(sum == cmd_part_whole(pages), "row %u", i);
        CHECK(cmd_part_pages(pages, CMD_PART_OTHER) == rows[i].other, "row %u", i);
        CHECK(cmd_part_pages(pages, CMD_PART_CACHE) == rows[i].cache, "row %u", i);
        CHECK(cmd_part_pages(pages, CMD_PART_SHMEM) == rows[i].shared, "row %u", i);
        CHECK(cmd_part_pages(pages, CMD_PART_ANON) == rows[i].anonymous, "row %u", i);
    }
}

int main(void) {
    CU_TestInfo tests[] = {
        { "parts are all of memory", test_parts_are_all_of_memory },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "parts", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
