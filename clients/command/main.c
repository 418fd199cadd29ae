/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs have in common from beginning to end. */
#include "message.h"
#include "verb.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>

/* What the rooms of the server have to warn of. */
static void on_log(const char *domain G_GNUC_UNUSED, GLogLevelFlags level, const char *message,
                   gpointer data G_GNUC_UNUSED) {
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
        cmd_warn("%s", message);
}

static void begin(void) {
    setlocale(LC_CTYPE, "");
    g_log_set_default_handler(on_log, NULL);
}

static int end(int status) {
    if (fflush(stdout) == EOF && status == CMD_OK)
        return cmd_fail("cannot write to standard output: %s", g_strerror(errno));
    return status;
}

int cmd_main(int (*run)(char **argv), char **argv) {
    begin();
    return end(run(argv));
}

int cmd_main_program(const CmdVerb *verb, char **argv) {
    g_auto(GStrv) own = g_strdupv(argv);

    begin();
    return end(verb->run(&own));
}
