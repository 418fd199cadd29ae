/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify: what a person types. Finds the verb and runs it; each has a file of its own. */
#include "message.h"
#include "verb.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

static const CmdVerb *const verbs[] = { &cmd_status,   &cmd_wait,   &cmd_watch,  &cmd_on,     &cmd_top,
                                        &cmd_simulate, &cmd_record, &cmd_replay, &cmd_report, &cmd_serve };

static void print_help(void) {
    puts("usage: memnotify [VERB [OPTION ...] [ARGUMENT ...]]\n");
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        printf("  %-9s %-16s %s\n", verbs[i]->name, verbs[i]->arguments ? verbs[i]->arguments : "", verbs[i]->summary);
    puts("\nLIMITS is a text like 'available<10%' or 'used>=1.5G swap_free<100M'.\n"
         "Without a verb it is status. 'memnotify VERB --help' has its options.\n"
         "  --version  print the version\n"
         "See memnotify(1), and memnotifyfs(5) for the meters.");
}

static const CmdVerb *find_verb(const char *name) {
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static gboolean is_one_of(const char *word, const char *one, const char *other) {
    return word && (strcmp(word, one) == 0 || strcmp(word, other) == 0);
}

/* Without a word, or with an option in its place, it is status. */
static int run(char **argv) {
    g_auto(GStrv) own = g_strdupv(argv + 1);
    const CmdVerb *verb;

    if (is_one_of(argv[1], "-h", "--help") || (argv[1] && strcmp(argv[1], "help") == 0)) {
        print_help();
        return CMD_OK;
    }
    if (is_one_of(argv[1], "-V", "--version")) {
        puts("memnotify " MN_VERSION);
        return CMD_OK;
    }
    if (!argv[1] || argv[1][0] == '-') {
        g_strfreev(own);
        own = g_strdupv(argv);
        return cmd_status.run(&own);
    }
    verb = find_verb(argv[1]);
    return verb ? verb->run(&own) : cmd_misuse("there is no verb '%s'; see 'memnotify --help'", argv[1]);
}

int main(int argc G_GNUC_UNUSED, char **argv) {
    return cmd_main(run, argv);
}
