/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify report: what happened in a recording or a scenario, as a page for a browser. */
#include "message.h"
#include "options.h"
#include "reportpage.h"
#include "style.h"

#include <errno.h>
#include <stdio.h>

/* One text, as limits are separated. */
static char *join_limits(char **words) {
    return words[0] ? g_strjoinv(" ", words) : NULL;
}

static int print(const char *page, const char *path) {
    g_autoptr(GError) error = NULL;

    if (!path || g_str_equal(path, "-")) {
        fputs(page, stdout); /* main() looks whether it could be written */
        return CMD_OK;
    }
    if (!g_file_set_contents(path, page, -1, &error))
        return cmd_fail("%s", error->message);
    return CMD_OK;
}

/* The machine alone, unless `shown` is the group's. */
static int print_report(const char *path, const CmdIncident *shown, const char *output) {
    g_autoptr(GString) title = g_string_new(NULL);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *page = NULL;
    CmdIncident machine = { 0 };
    int r = CMD_OK;

    cmd_style_append_shown(title, name, 0);
    if (!shown->is_of_group)
        page = cmd_report_page(title->str, shown, NULL);
    else {
        r = cmd_incident_read(&machine, path, TRUE, "");
        if (r == CMD_OK)
            page = cmd_report_page(title->str, &machine, shown);
        cmd_incident_clear(&machine);
    }
    return r == CMD_OK ? print(page, output) : r;
}

static int report_run(char ***argv) {
    CmdOptions options;
    gboolean is_of_machine = FALSE;
    g_autofree char *output = NULL, *limits = NULL;
    const GOptionEntry own[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Write the page to FILE", "FILE" },
        { "system", 0, 0, G_OPTION_ARG_NONE, &is_of_machine, "Of the machine, also where there is a group", NULL },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&cmd_report, own, 1, G_MAXUINT, argv, &options);
    CmdIncident incident;
    int r;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    limits = join_limits(options.arguments + 1);
    r = cmd_incident_read(&incident, options.arguments[0], is_of_machine, limits);
    if (r == CMD_OK)
        r = print_report(options.arguments[0], &incident, output);
    cmd_incident_clear(&incident);
    return r;
}

const CmdVerb cmd_report = {
    .name = "report",
    .arguments = "FILE [LIMITS...]",
    .summary = "a page for a browser of what happens in it",
    .is_alone = TRUE,
    .run = report_run,
};
