/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a request is meant for, by its header "Host". */
#include "host.h"
#include "runner.h"

static char *names[] = { "web1", "Memory.Example.org", NULL };

static void test_hosts(void) {
    static const struct {
        const char *host;
        gboolean is_ours;
        gboolean is_named; /* by `names` */
    } rows[] = {
        { NULL, TRUE, TRUE },
        { "127.0.0.1", TRUE, TRUE },
        { "127.0.0.1:10776", TRUE, TRUE },
        { "192.168.0.7:80", TRUE, TRUE },
        { "[::1]", TRUE, TRUE },
        { "[::1]:10776", TRUE, TRUE },
        { "localhost", TRUE, TRUE },
        { "LocalHost:10776", TRUE, TRUE },
        { "memory.localhost:10776", TRUE, TRUE },
        { "web1", FALSE, TRUE },
        { "WEB1:10776", FALSE, TRUE },
        { "memory.example.org", FALSE, TRUE },
        { "web1.attacker.example", FALSE, FALSE },
        { "attacker.example:10776", FALSE, FALSE },
        { "notlocalhost", FALSE, FALSE },
        { "localhost.attacker.example", FALSE, FALSE },
        { "127.0.0.1.attacker.example", FALSE, FALSE },
        { "127.0.0.1@attacker.example", FALSE, FALSE },
        { "[attacker.example]", FALSE, FALSE },
        { "[::1", TRUE, TRUE },
        { "1", FALSE, FALSE },
        { "", FALSE, FALSE },
        { ":10776", FALSE, FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        CHECK(exp_host_is_ours(rows[i].host, NULL) == rows[i].is_ours, "%s", rows[i].host ? rows[i].host : "(none)");
        CHECK(exp_host_is_ours(rows[i].host, names) == rows[i].is_named, "%s", rows[i].host ? rows[i].host : "(none)");
    }
}

static CU_TestInfo tests[] = {
    { "names and addresses", test_hosts },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "host", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
