/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify-npd: a plugin of Kubernetes' node-problem-detector, which starts it every few seconds, takes what it ends with
 * for the state of the node, and what it prints for the reason. */
#include "client.h"
#include "message.h"
#include "patience.h"

#include <errno.h>
#include <stdio.h>

/* What the plugin ends with; any other number is unknown as well. */
enum {
    NODE_FINE = 0,
    NODE_HAS_PROBLEM = 1,
    NODE_UNKNOWN = 2,
};

/* node-problem-detector gives plugins 5 s, and kills them then. */
#define PATIENCE_US (4 * G_TIME_SPAN_SECOND)

/* It keeps 80 bytes of what is printed, if it was not told otherwise. */
#define MESSAGE_BYTES 81

#define LIMITS_DEFAULT "available<5%"

static int say(int status, const char *text) {
    printf("%.*s\n", MESSAGE_BYTES - 1, text);
    return status;
}

static int say_unknown(const char *place, int r) {
    g_autofree char *why = cmd_client_explain(place, r);

    return say(NODE_UNKNOWN, why);
}

/* In the other thread, while the first may hang. */
static int run_out(const char *place) {
    int status = say_unknown(place, -ETIMEDOUT);

    fflush(stdout);
    return status;
}

/* "available 482M, limit 512M" for each limit that is reached. */
static int take_events(memnotifyfs *client, GString *reached) {
    struct memnotifyfs_event event;
    char value[CMD_SIZE_BYTES], limit[CMD_SIZE_BYTES];
    int r;

    while ((r = memnotifyfs_next(client, &event)) > 0)
        if (event.kind == MEMNOTIFYFS_REACHED)
            g_string_append_printf(reached, "%s%s %s, limit %s",
                                   reached->len > 0 ? "; " : "memory is short: ", event.meter,
                                   cmd_size_print(event.value_pages, CMD_UNIT_HUMAN, value),
                                   cmd_size_print(event.limit_pages, CMD_UNIT_HUMAN, limit));
    return r;
}

static int check(const char *place, const char *limits) {
    g_autoptr(CmdPatience) patience G_GNUC_UNUSED = cmd_patience_new_for(PATIENCE_US, run_out, place);
    g_autoptr(memnotifyfs) client = NULL;
    g_autoptr(GString) reached = g_string_new(NULL);
    g_autofree char *fine = g_strdup_printf("memory is not short: %s", limits);
    int r = memnotifyfs_open(place, &client);

    if (r == 0)
        r = memnotifyfs_set_limits(client, limits);
    if (client && r == -EINVAL)
        return say(NODE_UNKNOWN, memnotifyfs_get_error(client, NULL));
    if (r == 0)
        r = take_events(client, reached);
    if (r < 0)
        return say_unknown(place, r);
    return reached->len > 0 ? say(NODE_HAS_PROBLEM, reached->str) : say(NODE_FINE, fine);
}

static int npd_run(char ***argv);

static const CmdVerb npd = {
    .name = "memnotify-npd",
    .arguments = "[LIMITS]",
    .summary = "tells node-problem-detector whether limits are reached (default: " LIMITS_DEFAULT ")",
    .is_program = TRUE,
    .run = npd_run,
};

static int npd_run(char ***argv) {
    CmdOptions options;
    CmdParsed parsed = cmd_options_parse(&npd, NULL, 0, 1, argv, &options);

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    return check(options.place, options.arguments[0] ? options.arguments[0] : LIMITS_DEFAULT);
}

int main(int argc G_GNUC_UNUSED, char **argv) {
    return cmd_main_program(&npd, argv);
}
