/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "signal NAME" -> a number. */
#include "core/signame.h"
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define BAD (-1)

static void test_texts(void) {
    const struct {
        const char *text;
        int expected;
    } rows[] = {
        { "signal", SIGIO },
        { "signal\n", SIGIO },
        { "  signal  ", SIGIO },
        { "signal SIGIO", SIGIO },
        { "signal IO\n", SIGIO },
        { "signal POLL", SIGIO },
        { "signal SIGUSR1", SIGUSR1 },
        { "signal usr2\n", SIGUSR2 },
        { "signal\tSigHup\n", SIGHUP },
        { "signal   TERM   \n", SIGTERM },
        { "signal 10", 10 },
        { "signal 1", 1 },
        { "signal 31", 31 },
        { "signal 007", 7 },
        { "signal 64", SIGRTMAX },
        { "signal RTMIN", SIGRTMIN },
        { "signal SIGRTMIN+3", SIGRTMIN + 3 },
        { "signal rtmax-2", SIGRTMAX - 2 },
        { "signal RTMAX", SIGRTMAX },
        { "signal RTMIN+30", SIGRTMAX },
        { "signal off", 0 },
        { "signal off\n", 0 },
        { "", BAD },
        { "\n", BAD },
        { "sig", BAD },
        { "signals", BAD },
        { "signal0", BAD },
        { "Signal IO", BAD },
        { "signal 0", BAD },
        { "signal -1", BAD },
        { "signal +1", BAD },
        { "signal 32", BAD }, /* the C library's */
        { "signal 33", BAD },
        { "signal 65", BAD },
        { "signal 4294967297", BAD },
        { "signal 99999999999999999999", BAD },
        { "signal 1x", BAD },
        { "signal 1 2", BAD },
        { "signal USR1 USR2", BAD },
        { "signal USR", BAD },
        { "signal SIG", BAD },
        { "signal SIGSIGIO", BAD },
        { "signal RTMIN-1", BAD },
        { "signal RTMIN+31", BAD },
        { "signal RTMAX+1", BAD },
        { "signal RTMAX-31", BAD },
        { "signal RTMIN+", BAD },
        { "signal RTMIN+x", BAD },
        { "signal OFF", BAD },
        { "signal off off", BAD },
        { "USR1", BAD },
        { "signal \xff", BAD },
        { "signal aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", BAD },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        int number = BAD;
        int r = mn_signame_parse(rows[i].text, strlen(rows[i].text), &number);

        CHECK(r == (rows[i].expected == BAD ? -EINVAL : 0), "'%s': %d", rows[i].text, r);
        CHECK(number == rows[i].expected, "'%s': %d", rows[i].text, number);
    }
}

static void test_nul(void) {
    int number = BAD;

    CU_ASSERT_EQUAL(mn_signame_parse("signal USR1", sizeof "signal USR1", &number), 0);
    CU_ASSERT_EQUAL(number, SIGUSR1);
    CU_ASSERT_EQUAL(mn_signame_parse("signal\0USR2", sizeof "signal\0USR2", &number), -EINVAL);
    CU_ASSERT_EQUAL(mn_signame_parse("\0", 1, &number), -EINVAL);
    CU_ASSERT_EQUAL(number, SIGUSR1);
}

/* The names are those that the C library has. */
static void test_all_names(void) {
    for (int number = 1; number < 32; number++) {
        g_autofree char *text = g_strdup_printf("signal %s", sigabbrev_np(number));
        int found = 0;

        CHECK(mn_signame_parse(text, strlen(text), &found) == 0 && found == number, "%s: %d", text, found);
    }
}

static CU_TestInfo tests[] = {
    { "texts", test_texts },
    { "one NUL may end it", test_nul },
    { "all names", test_all_names },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "signame", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
