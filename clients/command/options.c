/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include "message.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

static GOptionContext *make_context(const CmdVerb *verb, const GOptionEntry *own, const GOptionEntry *output,
                                    const GOptionEntry *server, const GOptionEntry *program,
                                    const GOptionEntry *common) {
    GOptionContext *context = g_option_context_new(verb->arguments);

    g_option_context_set_help_enabled(context, FALSE); /* it would not see whether it can be written */
    g_option_context_set_summary(context, verb->summary);
    if (own)
        g_option_context_add_main_entries(context, own, NULL);
    if (verb->prints)
        g_option_context_add_main_entries(context, output, NULL);
    if (!verb->is_alone)
        g_option_context_add_main_entries(context, server, NULL);
    if (verb->is_program)
        g_option_context_add_main_entries(context, program, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    return context;
}

static void set_name(const CmdVerb *verb) {
    g_autofree char *name = verb->is_program ? g_strdup(verb->name) : g_strdup_printf("memnotify %s", verb->name);

    g_set_prgname(name);
}

static CmdParsed refuse(const CmdVerb *verb, const char *why) {
    if (verb->is_program)
        cmd_misuse("%s; see '%s --help'", why, verb->name);
    else
        cmd_misuse("%s: %s; see 'memnotify %s --help'", verb->name, why, verb->name);
    return CMD_NOT_PARSED;
}

static CmdParsed print_help(GOptionContext *context) {
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);

    fputs(help, stdout);
    return CMD_HELPED;
}

/* The same text, which lasts as long as the program and is nobody's to free. */
static char *keep(char *text) {
    g_autofree char *taken = text;

    return (char *)g_intern_string(taken);
}

CmdParsed cmd_options_parse(const CmdVerb *verb, const GOptionEntry *own, guint least, guint most, char ***argv,
                            CmdOptions *ret) {
    CmdOptions options = { 0 };
    gboolean wants_help = FALSE, wants_version = FALSE, in_bytes = FALSE, in_pages = FALSE;
    const GOptionEntry output[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &options.wants_json, "Print JSON, sizes in bytes", NULL },
        { "bytes", 'b', 0, G_OPTION_ARG_NONE, &in_bytes, "Print sizes in bytes", NULL },
        { "pages", 'p', 0, G_OPTION_ARG_NONE, &in_pages, "Print sizes in pages", NULL },
        { 0 },
    };
    const GOptionEntry server[] = {
        { "at", 0, 0, G_OPTION_ARG_FILENAME, &options.place, "The server: its mount point or its socket", "PLACE" },
        { 0 },
    };
    const GOptionEntry program[] = {
        { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version, "Print the version", NULL },
        { 0 },
    };
    const GOptionEntry common[] = {
        { "help", 'h', 0, G_OPTION_ARG_NONE, &wants_help, "Print this text", NULL },
        { 0 },
    };
    g_autoptr(GOptionContext) context = make_context(verb, own, output, server, program, common);
    g_autoptr(GError) error = NULL;

    set_name(verb);
    if (!g_option_context_parse_strv(context, argv, &error))
        return refuse(verb, error->message);
    options.place = keep(options.place);
    if (wants_help)
        return print_help(context);
    if (wants_version) {
        printf("%s " MN_VERSION "\n", verb->name);
        return CMD_HELPED;
    }

    options.arguments = *argv + 1;
    if (options.arguments[0] && strcmp(options.arguments[0], "--") == 0) /* GLib leaves it where an argument follows */
        options.arguments++;
    if (g_strv_length(options.arguments) < least)
        return refuse(verb, "an argument is missing");
    if (g_strv_length(options.arguments) > most)
        return refuse(verb, "there is an argument too many");
    options.unit = in_pages ? CMD_UNIT_PAGES : in_bytes ? CMD_UNIT_BYTES : CMD_UNIT_HUMAN;
    *ret = options;
    return CMD_PARSED;
}

char **cmd_options_split(char ***argv) {
    char **words = *argv, **behind;
    guint n = 0;

    while (words[n] && strcmp(words[n], "--") != 0)
        n++;
    if (!words[n])
        return NULL;
    behind = g_strdupv(words + n + 1);
    for (guint i = n; words[i]; i++)
        g_clear_pointer(&words[i], g_free);
    return behind;
}

int cmd_parsed_status(CmdParsed parsed) {
    return parsed == CMD_HELPED ? CMD_OK : CMD_MISUSED;
}
