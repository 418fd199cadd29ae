/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connection -> text -> connection. */
#include "record.h"

#include "socket/answer.h"

#include <errno.h>
#include <string.h>

#define REACHED "reached "

/* Limits may come in several lines to a file, but not here. */
static void print_limits(const MnConnection *connection, GString *text) {
    guint reached = mn_limits_get_reached(&connection->limits);

    g_string_append_printf(text, "watch %s\n", connection->asked);
    for (guint id = 0; id < MN_N_METERS; id++)
        if (reached & MN_METER_BIT(id))
            g_string_append_printf(text, REACHED "%s\n", mn_meters[id].name);
}

gboolean mn_record_print(const MnConnection *connection, char text[MN_RECORD_BYTES]) {
    g_autoptr(GString) whole = g_string_new(NULL);
    const MnTrigger *trigger = &connection->armed.trigger;

    if (connection->bells || connection->has_page || (connection->limits.watch && !connection->asked))
        return FALSE;
    if (connection->asked)
        print_limits(connection, whole);
    if (connection->is_armed)
        g_string_append_printf(whole, "%s %u %u\n", mn_stall_names[trigger->kind], trigger->threshold_us,
                               trigger->window_us);
    if (whole->len == 0 || whole->len >= MN_RECORD_BYTES)
        return FALSE;
    memcpy(text, whole->str, whole->len + 1);
    return TRUE;
}

/* Of the lines from `text` on. */
static guint find_reached(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint reached = 0;

    for (char **line = lines; *line; line++) {
        const char *name = g_str_has_prefix(*line, REACHED) ? *line + strlen(REACHED) : "";
        int id = mn_meter_find(name, strlen(name));

        if (id >= 0)
            reached |= MN_METER_BIT(id);
    }
    return reached;
}

static int resume_line(MnConnection *connection, const MnCommand *command, guint reached) {
    MnFault fault = { 0 };

    switch (command->verb) {
    case MN_VERB_WATCH:
        return mn_answer_resume_watch(connection, command, reached);
    case MN_VERB_TRIGGER:
        return mn_answer_find(MN_VERB_TRIGGER)(connection, command, &fault);
    default: /* what was reached */
        return 0;
    }
}

int mn_record_resume(const char *text, MnConnection *connection) {
    guint reached = find_reached(text);
    gsize left = strlen(text);
    int r = left > 0 ? 0 : -ENODATA;

    while (left > 0 && r == 0) {
        MnCommand command = mn_command_find(text, left, TRUE);

        r = resume_line(connection, &command, reached);
        text += command.len;
        left -= command.len;
    }
    return r;
}
