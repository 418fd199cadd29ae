/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arcstats of ZFS -> what it would give back. */
#include "core/arcstats.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

#define HEAD "9 1 0x01 147 39984 5271530817 1006345478613\nname                            type data\n"
#define SIZE "size                            4    "
#define LEAST "c_min                           4    "
#define BAD (-EBADMSG)

static void test_texts(void) {
    static const struct {
        const char *text;
        int expected;
        guint64 bytes;
    } rows[] = {
        { HEAD "hits                            4    13113\n" LEAST "1056305152\n" SIZE "8589934592\n", 0, 7533629440 },
        { HEAD SIZE "8589934592\n" LEAST "1056305152\n", 0, 7533629440 },
        { HEAD SIZE "0\n" LEAST "1056305152\n", 0, 0 }, /* it has not yet filled */
        { HEAD SIZE "5\n" LEAST "5\n", 0, 0 },
        { HEAD SIZE "18446744073709551615\n" LEAST "0\n", 0, G_MAXUINT64 },
        { HEAD "compressed_size                 4    7\ndata_size                       4    x\n" SIZE "9\n" LEAST
               "2\n",
          0, 7 },
        { "size 4 9\nc_min 4 2\n", 0, 7 },
        { HEAD SIZE "9\n", BAD, 0 },
        { HEAD LEAST "9\n", BAD, 0 },
        { HEAD SIZE "9\n" LEAST "2", BAD, 0 }, /* cut */
        { HEAD SIZE "9\n" LEAST "2\n" SIZE "9\n", BAD, 0 },
        { HEAD SIZE "9\n" LEAST "\n", BAD, 0 },
        { HEAD SIZE "-9\n" LEAST "2\n", BAD, 0 },
        { HEAD SIZE "9 9\n" LEAST "2\n", BAD, 0 },
        { HEAD SIZE "18446744073709551616\n" LEAST "2\n", BAD, 0 },
        { "size many 9\nc_min 4 2\n", BAD, 0 },
        { "size \nc_min \n", BAD, 0 },
        { "\n", BAD, 0 },
        { "", BAD, 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize len = strlen(rows[i].text);
        g_autofree char *text = memcpy(g_malloc(MAX(len, 1)), rows[i].text, len); /* of exactly its size */
        guint64 bytes = 4711;

        CHECK(mn_arcstats_parse(text, len, &bytes) == rows[i].expected, "row %u", i);
        CHECK(bytes == (rows[i].expected < 0 ? 4711 : rows[i].bytes), "row %u: %" G_GUINT64_FORMAT, i, bytes);
    }
}

static CU_TestInfo tests[] = {
    { "texts, and what is none", test_texts },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "arcstats", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
