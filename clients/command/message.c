/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include "verb.h"

#include <stdio.h>
#include <string.h>

static void say(const char *format, va_list arguments) {
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    const char *program = g_get_prgname() ? g_get_prgname() : "memnotify"; /* "memnotify wait" */

    fflush(stdout); /* what was printed before comes before it, where both are one terminal */
    fprintf(stderr, "%.*s: %s\n", (int)strcspn(program, " "), program, text);
}

void cmd_warn(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

int cmd_fail(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return CMD_FAILED;
}

int cmd_misuse(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return CMD_MISUSED;
}

int cmd_misuse_text(const char *what, const char *text, const MnFault *fault) {
    g_autoptr(GString) shown = g_string_new(NULL);

    mn_fault_show(fault, text, strlen(text), shown);
    cmd_warn("%s not understood: %s", what, fault->reason[0] ? fault->reason : "see memnotifyfs(5)");
    fputs(shown->str, stderr);
    return CMD_MISUSED;
}
