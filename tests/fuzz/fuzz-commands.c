/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients of the socket send: the first command of a text, and all of them one after the other. Its first byte says in
 * pieces of which size the rest arrives. */
#include "core/command.h"
#include "target.h"

#include <memnotifyfs/contract.h>

#include <glib.h>
#include <string.h>

static gboolean has_argument(MnVerb verb) {
    return verb != MN_VERB_INCOMPLETE && verb != MN_VERB_TOO_LONG;
}

/* That what was found is in the text, and is as much as the header says. */
static void check_command(const MnCommand *command, const char *text, gsize len, gboolean is_all) {
    g_assert_cmpuint(command->verb, <=, MN_VERB_TOO_LONG);
    g_assert_cmpuint(command->len, <=, len);
    g_assert_cmpuint(command->len, <=, MEMNOTIFYFS_REQUEST_MAX);
    if (!has_argument(command->verb)) {
        g_assert_cmpuint(command->len, ==, 0);
        return;
    }
    g_assert_true(command->argument == text + command->argument_at);
    g_assert_cmpuint(command->argument_at + command->argument_len, <=, len);
    g_assert_null(memchr(command->argument, '\n', command->argument_len));
    if (command->len == 0)
        g_assert_true(command->verb == MN_VERB_TRIGGER && !is_all);
    if (command->verb == MN_VERB_TRIGGER) {
        g_assert_cmpuint(command->argument_len, >=, 4);
        g_assert_true(memcmp(command->argument, "some", 4) == 0 || memcmp(command->argument, "full", 4) == 0);
    }
}

/* The verbs and arguments of all commands, for comparison, up to the first that ends the connection. */
static void take_all(const char *text, gsize len, gsize piece, GString *found) {
    gsize at = 0, known = 0;

    for (;;) {
        MnCommand command = mn_command_find(text + at, known - at, known == len);

        check_command(&command, text + at, known - at, known == len);
        if (command.verb == MN_VERB_TOO_LONG || command.verb == MN_VERB_UNKNOWN) {
            g_string_append(found, "end");
            return;
        }
        if (command.len > 0) {
            g_string_append_printf(found, "%d ", (int)command.verb);
            g_string_append_len(found, command.argument, (gssize)command.argument_len);
            g_string_append_c(found, '\n');
        }
        if (command.len == 0 && known == len)
            return;
        if (command.len == 0)
            known = MIN(known + piece, len);
        at += command.len;
    }
}

/* In whatever pieces it comes, the same is found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GString) whole = g_string_new(NULL), pieces = g_string_new(NULL);

    if (size == 0)
        return 0;
    take_all((const char *)data + 1, size - 1, size, whole);
    take_all((const char *)data + 1, size - 1, 1 + data[0], pieces);
    g_assert_cmpmem(whole->str, whole->len, pieces->str, pieces->len);
    return 0;
}
