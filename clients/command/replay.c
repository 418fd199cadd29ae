/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify replay: what happens in a recording or a scenario, a line for each crossing, as `events` has them where a server
 * plays it. */
#include "event.h"
#include "message.h"
#include "playback.h"

#include <stdio.h>

typedef struct Replay {
    CmdOptions options;
    CmdPlayback *playback;
    gboolean is_of_machine;
} Replay;

static void print_json(const Replay *self, const char *line) {
    CmdEvent event;

    if (!cmd_event_parse(line, &event))
        return;
    event.page_bytes = cmd_playback_get_machine(self->playback)->page_bytes;
    event.date_us = mn_script_get_date_us(cmd_playback_get_script(self->playback));
    cmd_event_print(&event, &self->options);
}

static void print_event(const MnEvent *event, gpointer data) {
    const Replay *self = data;
    char line[MEMNOTIFYFS_EVENT_LINE_MAX];
    gsize len = mn_event_print(event, "", line);

    if (!self->options.wants_json) {
        fputs(line, stdout);
        return;
    }
    line[len - 1] = '\0'; /* the newline */
    print_json(self, line);
}

static int replay_run(char ***argv) {
    Replay replay = { 0 };
    gboolean wants_json = FALSE;
    const GOptionEntry own[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &wants_json, "Print JSON, with dates, and sizes in bytes", NULL },
        { "system", 0, 0, G_OPTION_ARG_NONE, &replay.is_of_machine, "The machine also where a group was recorded",
          NULL },
        { 0 },
    };
    CmdParsed parsed = cmd_options_parse(&cmd_replay, own, 1, 2, argv, &replay.options);
    g_autoptr(CmdPlayback) playback = NULL;
    int r;

    if (parsed != CMD_PARSED)
        return cmd_parsed_status(parsed);
    playback = cmd_playback_new(replay.options.arguments[0], replay.is_of_machine);
    if (!playback)
        return CMD_FAILED;
    replay.playback = playback;
    replay.options.wants_json = wants_json;
    r = cmd_playback_watch(playback, replay.options.arguments[1], print_event, &replay);
    if (r != CMD_OK)
        return r;
    while (cmd_playback_step(playback))
        continue;
    return CMD_OK;
}

const CmdVerb cmd_replay = {
    .name = "replay",
    .arguments = "FILE [LIMITS]",
    .summary = "what happens in a recording or a scenario",
    .is_alone = TRUE,
    .run = replay_run,
};
