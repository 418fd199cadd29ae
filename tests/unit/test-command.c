/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/command.h"
#include "runner.h"

#include <memnotifyfs/contract.h>
#include <string.h>

#define N(text) (text), sizeof(text) - 1

static void test_lines(void) {
    static const struct {
        const char *text;
        gsize text_len;
        gboolean is_all;
        MnVerb verb;
        const char *argument;
        gsize argument_at;
        gsize len;
    } rows[] = {
        { N("watch available<10%\n"), FALSE, MN_VERB_WATCH, "available<10%", 6, 20 },
        { N("watch available<10%"), FALSE, MN_VERB_INCOMPLETE, "", 0, 0 },
        { N("watch available<10%"), TRUE, MN_VERB_WATCH, "available<10%", 6, 19 },
        { N("  watch\tused 1 \r\nread\n"), FALSE, MN_VERB_WATCH, "used 1", 8, 17 },
        { N("watch\n"), FALSE, MN_VERB_WATCH, "", 5, 6 },
        { N("watc\n"), FALSE, MN_VERB_UNKNOWN, "", 4, 5 },
        { N("watchers\n"), FALSE, MN_VERB_UNKNOWN, "", 8, 9 },
        { N("WATCH used 1\n"), FALSE, MN_VERB_UNKNOWN, "used 1", 6, 13 },
        { N("read\n"), FALSE, MN_VERB_READ, "", 4, 5 },
        { N("read \r\n"), FALSE, MN_VERB_READ, "", 4, 7 },
        { N("read it\n"), FALSE, MN_VERB_UNKNOWN, "it", 5, 8 },
        { N("read\0\n"), FALSE, MN_VERB_UNKNOWN, "", 5, 6 },
        { N("eventfd free<1G\n"), FALSE, MN_VERB_EVENTFD, "free<1G", 8, 16 },
        { N("page\nread\n"), FALSE, MN_VERB_PAGE, "", 4, 5 },
        { N("quit\n"), FALSE, MN_VERB_QUIT, "", 4, 5 },
        { N("\nread\n"), FALSE, MN_VERB_NOTHING, "", 0, 1 },
        { N(" \t\n"), FALSE, MN_VERB_NOTHING, "", 2, 3 },
        { N(""), FALSE, MN_VERB_INCOMPLETE, "", 0, 0 },
        { N(""), TRUE, MN_VERB_INCOMPLETE, "", 0, 0 },
        { N("\0"), FALSE, MN_VERB_INCOMPLETE, "", 0, 0 },
        { N("\0\n"), FALSE, MN_VERB_UNKNOWN, "", 1, 2 },
        { N("some 200000 2000000\0"), FALSE, MN_VERB_TRIGGER, "some 200000 2000000", 0, 20 },
        { N("some 200000 2000000\0read\n"), FALSE, MN_VERB_TRIGGER, "some 200000 2000000", 0, 20 },
        { N("full 200000 2000000\n\0"), FALSE, MN_VERB_TRIGGER, "full 200000 2000000", 0, 20 },
        { N("some 200000 2000000"), FALSE, MN_VERB_TRIGGER, "some 200000 2000000", 0, 0 },
        { N("some 200000 2000000"), TRUE, MN_VERB_TRIGGER, "some 200000 2000000", 0, 19 },
        { N("some 2000"), FALSE, MN_VERB_TRIGGER, "some 2000", 0, 0 },
        { N("some"), FALSE, MN_VERB_INCOMPLETE, "", 0, 0 },
        { N("some\n"), FALSE, MN_VERB_TRIGGER, "some", 0, 5 },
        { N("something 1\n"), FALSE, MN_VERB_UNKNOWN, "1", 10, 12 },
        { N("watch a\0b\n"), FALSE, MN_VERB_WATCH, "a", 6, 10 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        MnCommand command = mn_command_find(rows[i].text, rows[i].text_len, rows[i].is_all);

        CHECK(command.verb == rows[i].verb, "row %u: verb %u", i, command.verb);
        CHECK(command.len == rows[i].len, "row %u: length %zu", i, command.len);
        CHECK(command.argument_at == rows[i].argument_at, "row %u: at %zu", i, command.argument_at);
        CHECK(command.argument_len >= strlen(rows[i].argument), "row %u: argument", i);
        CHECK(command.verb == MN_VERB_INCOMPLETE ||
                  strncmp(command.argument, rows[i].argument, strlen(rows[i].argument)) == 0,
              "row %u: argument", i);
    }
}

/* In whatever pieces it comes, the same is found. */
static void test_pieces(void) {
    static const char text[] = "watch used 80%\nread\nsome 150000 1000000\nquit\n";
    static const MnVerb verbs[] = { MN_VERB_WATCH, MN_VERB_READ, MN_VERB_TRIGGER, MN_VERB_QUIT };
    gsize at = 0;

    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        gsize len = 0;
        MnCommand command;

        do
            command = mn_command_find(text + at, len++, FALSE);
        while (command.len == 0 && command.verb != MN_VERB_TOO_LONG && at + len <= sizeof text);
        CHECK(command.verb == verbs[i], "command %u: verb %u", i, command.verb);
        at += command.len;
    }
    CU_ASSERT_EQUAL(at, strlen(text));
}

static void test_the_longest(void) {
    char text[MEMNOTIFYFS_REQUEST_MAX + 1];

    memset(text, 'x', sizeof text);
    memcpy(text, "watch ", 6);
    CU_ASSERT_EQUAL(mn_command_find(text, MEMNOTIFYFS_REQUEST_MAX - 1, FALSE).verb, MN_VERB_INCOMPLETE);
    CU_ASSERT_EQUAL(mn_command_find(text, MEMNOTIFYFS_REQUEST_MAX, FALSE).verb, MN_VERB_TOO_LONG);
    text[MEMNOTIFYFS_REQUEST_MAX] = '\n';
    CU_ASSERT_EQUAL(mn_command_find(text, sizeof text, FALSE).verb, MN_VERB_TOO_LONG);
    text[MEMNOTIFYFS_REQUEST_MAX - 1] = '\n';
    CU_ASSERT_EQUAL(mn_command_find(text, sizeof text, FALSE).verb, MN_VERB_WATCH);
    CU_ASSERT_EQUAL(mn_command_find(text, sizeof text, FALSE).len, MEMNOTIFYFS_REQUEST_MAX);
}

static CU_TestInfo tests[] = {
    { "lines", test_lines },
    { "pieces", test_pieces },
    { "the longest", test_the_longest },
    CU_TEST_INFO_NULL,
};

int main(void) {
    CU_SuiteInfo suites[] = { { "command", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

    return run_suites(suites);
}
