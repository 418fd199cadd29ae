/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/PID/stat and /proc/PID/status, also of processes that choose their name with care. */
#include "core/process.h"
#include "runner.h"

#include <errno.h>
#include <string.h>

/* What follows the name, recorded on Linux 6.1. */
#define REST                                                                                                           \
    " S 1 4711 4711 0 -1 4194304 102 0 3 0 17 5 0 0 20 0 1 0 6421 5627904 243 18446744073709551615 "                   \
    "94000 94100 140000 0 0 0 0 4096 65538 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

static void test_stat(void) {
    MnProcessStat stat;
    const char *text = "4711 (bash)" REST;

    CU_ASSERT_EQUAL_FATAL(mn_process_parse_stat(text, strlen(text), &stat), 0);
    CU_ASSERT_EQUAL(stat.pid, 4711);
    CU_ASSERT_STRING_EQUAL(stat.comm, "bash");
    CU_ASSERT_EQUAL(stat.state, 'S');
    CU_ASSERT_FALSE(stat.is_kernel_thread);
    CU_ASSERT_EQUAL(stat.utime_ticks, 17);
    CU_ASSERT_EQUAL(stat.stime_ticks, 5);
    CU_ASSERT_EQUAL(stat.nice, 0);
    CU_ASSERT_EQUAL(stat.start_ticks, 6421);
    CU_ASSERT_EQUAL(stat.vm_bytes, 5627904);
}

static void test_any_name(void) {
    static const char *const names[] = {
        "",
        " ",
        "a b",
        "(",
        ")",
        "))",
        "((",
        "a) S 1 2 3 4",
        ") R 2 ",
        "(sd-pam)",
        "a\nb",
        "\n1 9 0 0 x",
        "\\",
        "\x1b[31m",
        "\xff\xfe",
        "kworker/u8:1-kvfree_rcu_reclaim",
        "123456789 123456789 123456789 123456789 123456789 123456789 123",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = g_strconcat("4711 (", names[i], ")" REST, NULL);
        MnProcessStat stat;

        CHECK(mn_process_parse_stat(text, strlen(text), &stat) == 0 && strcmp(stat.comm, names[i]) == 0 &&
                  stat.start_ticks == 6421,
              "'%s' gives '%s'", names[i], stat.comm);
    }
}

static void test_a_name_beyond_the_longest_is_cut(void) {
    g_autofree char *name = g_strnfill(MN_COMM_MAX + 1, 'x');
    g_autofree char *text = g_strconcat("4711 (", name, ")" REST, NULL);
    MnProcessStat stat;

    CU_ASSERT_EQUAL_FATAL(mn_process_parse_stat(text, strlen(text), &stat), 0);
    CU_ASSERT_EQUAL(strlen(stat.comm), MN_COMM_MAX);
    CU_ASSERT_EQUAL(stat.start_ticks, 6421);
}

static void test_kernel_threads_and_the_niced(void) {
    static const struct {
        const char *text;
        gboolean is_kernel_thread;
        gint nice;
    } rows[] = {
        { "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 5 0 0 20 0 1 0 1 0 0 1\n", TRUE, 0 },
        { "44 (kworker/1:1H) I 2 0 0 0 -1 69238880 0 0 0 0 0 3 0 0 0 -20 1 0 8 0 0 1\n", TRUE, -20 },
        { "9 (make) R 1 9 9 0 -1 4194304 0 0 0 0 1 1 0 0 39 19 1 0 77 4096 1 1\n", FALSE, 19 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnProcessStat stat;

        CHECK(mn_process_parse_stat(rows[i].text, strlen(rows[i].text), &stat) == 0 &&
                  stat.is_kernel_thread == rows[i].is_kernel_thread && stat.nice == rows[i].nice,
              "row %u", i);
    }
}

static void test_bad_stat(void) {
    static const char *const rows[] = {
        "",
        "\n",
        "4711",
        "4711 (bash) S 1 4711\n",
        "4711 (bash)"
        " S 1 4711 4711 0 -1 4194304 102 0 3 0 17 5 0 0 20 0 1 0 6421 5627904", /* cut */
        "4711 bash" REST,
        "4711 (bash" REST,
        "4711 )bash(" REST,
        "(bash)" REST,
        "0 (bash)" REST,
        "-4 (bash)" REST,
        "99999999999 (bash)" REST,
        "4711 (bash)\n",
        "4711 (bash) S\n",
        "4711 (bash) S 1 4711 4711 0 -1 x 102 0 3 0 17 5 0 0 20 0 1 0 6421 5627904 1\n",
        "4711 (bash) S 1 4711 4711 0 -1 4 102 0 3 0 17 5 0 0 20 0 1 0 18446744073709551616 1 1\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnProcessStat stat = { .pid = 77 };

        CHECK(mn_process_parse_stat(rows[i], strlen(rows[i]), &stat) == -EBADMSG && stat.pid == 77, "row %u", i);
    }
}

static const char status_text[] =
    "Name:\tbash\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\nNgid:\t0\nPid:\t4712\nPPid:\t1\n"
    "TracerPid:\t0\nUid:\t1000\t0\t1001\t1002\nGid:\t1\t2\t3\t4\nFDSize:\t256\nGroups:\t4 24 \nNStgid:\t4711\t7\n"
    "NSpid:\t4712\t31\t8\nNSpgid:\t4711\t7\nVmPeak:\t  5496 kB\nVmSwap:\t    1236 kB\nThreads:\t1\n"
    "CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000220000\nSeccomp:\t0\n";

static void test_status(void) {
    MnProcessStatus status;

    CU_ASSERT_EQUAL_FATAL(mn_process_parse_status(status_text, strlen(status_text), &status), 0);
    CU_ASSERT_EQUAL(status.tgid, 4711);
    CU_ASSERT_EQUAL(status.uid, 1000);
    CU_ASSERT_EQUAL(status.euid, 0);
    CU_ASSERT_EQUAL(status.fsuid, 1002);
    CU_ASSERT_EQUAL(status.capabilities, 0x220000);
    CU_ASSERT_EQUAL(status.n_pids, 3);
    CU_ASSERT_EQUAL(status.last_pid, 8);
    CU_ASSERT_EQUAL(status.swap_kib, 1236);
}

static void test_status_without_pid_namespaces(void) {
    const char *text = "Name:\tx\nTgid:\t12\nUid:\t1\t2\t3\t4\nCapEff:\t0\n";
    MnProcessStatus status;

    CU_ASSERT_EQUAL_FATAL(mn_process_parse_status(text, strlen(text), &status), 0);
    CU_ASSERT_EQUAL(status.n_pids, 1);
    CU_ASSERT_EQUAL(status.last_pid, 12);
    CU_ASSERT_EQUAL(status.swap_kib, 0);
}

static void test_bad_status(void) {
    static const char *const rows[] = {
        "",
        "Name:\tx\n",
        "Tgid:\t12\nUid:\t1\t2\t3\t4\n",
        "Tgid:\t12\nCapEff:\t0\n",
        "Uid:\t1\t2\t3\t4\nCapEff:\t0\n",
        "Tgid:\t12\nUid:\t1\t2\t3\nCapEff:\t0\n",
        "Tgid:\t12\nUid:\t1\t2\t3\t4\nCapEff:\t\n",
        "Tgid:\t12\nUid:\t1\t2\t3\t4\nNSpid:\t\nCapEff:\t0\n",
        "Tgid:\tx\nUid:\t1\t2\t3\t4\nCapEff:\t0\n",
        "Tgid:\t12\nUid:\t1\t2\t3\t4\nCapEff:\t0",
        "Name:\tTgid:\t12\n Uid:\t1\t2\t3\t4\nCapEff:\t0\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnProcessStatus status = { .tgid = 77 };

        CHECK(mn_process_parse_status(rows[i], strlen(rows[i]), &status) == -EBADMSG && status.tgid == 77, "row %u", i);
    }
}

static void test_every_cut_is_refused_or_whole(void) {
    const char *text = "4711 (a) b)" REST;

    for (gsize len = 0; len < strlen(text); len++) {
        g_autofree char *copy = g_memdup2(text, len + (len == 0)); /* exactly so long, for a sanitizer */
        MnProcessStat stat;
        MnProcessStatus status;

        CHECK(mn_process_parse_stat(copy, len, &stat) == -EBADMSG, "stat of %zu bytes", len);
        CHECK(mn_process_parse_status(copy, len, &status) == -EBADMSG, "status of %zu bytes", len);
    }
}

static void test_a_shown_name_stays_on_its_line(void) {
    static const struct {
        const char *comm;
        const char *shown;
    } rows[] = {
        { "bash", "bash" },     { "", "" },
        { "a b", "a b" },       { "a\nb", "a\\nb" },
        { "\\n", "\\\\n" },     { "\n1 9 0 0 x\n", "\\n1 9 0 0 x\\n" },
        { "\xff", "\\377" },    { "\x1b[31m", "\\033[31m" },
        { "\\033", "\\\\033" }, { "Käse", "Käse" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) shown = g_string_new(NULL);

        mn_comm_append(shown, rows[i].comm);
        CHECK(strcmp(shown->str, rows[i].shown) == 0, "'%s' is shown '%s'", rows[i].comm, shown->str);
    }
}

static CU_TestInfo tests[] = {
    { "stat", test_stat },
    { "a process may have any name", test_any_name },
    { "a name beyond the longest is cut", test_a_name_beyond_the_longest_is_cut },
    { "kernel threads and the niced", test_kernel_threads_and_the_niced },
    { "bad stat", test_bad_stat },
    { "status", test_status },
    { "status of a kernel without pid namespaces", test_status_without_pid_namespaces },
    { "bad status", test_bad_status },
    { "a cut text is refused", test_every_cut_is_refused_or_whole },
    { "a name that is shown stays on its line", test_a_shown_name_stays_on_its_line },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "process", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
