/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of a socket -> command. */
#include "command.h"

#include <memnotifyfs/contract.h>
#include <string.h>

static const struct {
    const char *word;
    MnVerb verb;
    gboolean has_argument;
} words[] = {
    { "watch", MN_VERB_WATCH, TRUE }, { "read", MN_VERB_READ, FALSE },   { "eventfd", MN_VERB_EVENTFD, TRUE },
    { "page", MN_VERB_PAGE, FALSE },  { "some", MN_VERB_TRIGGER, TRUE }, { "full", MN_VERB_TRIGGER, TRUE },
    { "quit", MN_VERB_QUIT, FALSE },
};

static gboolean is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static gboolean is_trigger(const char *text, gsize len) {
    return len >= 5 && (memcmp(text, "some ", 5) == 0 || memcmp(text, "full ", 5) == 0);
}

/* Where the ending is that ends the command, or NULL. */
static const char *find_ending(const char *text, gsize len) {
    const char *newline = memchr(text, '\n', len);
    const char *nul = is_trigger(text, len) ? memchr(text, '\0', len) : NULL;

    return nul && (!newline || nul < newline) ? nul : newline;
}

/* Of a line without its ending. */
static MnCommand parse(const char *text, gsize len) {
    MnCommand command = { .verb = MN_VERB_UNKNOWN };
    const char *at = text, *end = text + len, *word;
    gsize word_len;

    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    for (word = at; at < end && !is_blank(*at); at++)
        continue;
    word_len = (gsize)(at - word);
    while (at < end && is_blank(*at))
        at++;

    if (word_len == 0)
        command.verb = MN_VERB_NOTHING;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i].word) == word_len && memcmp(words[i].word, word, word_len) == 0 &&
            (words[i].has_argument || at == end))
            command.verb = words[i].verb;
    if (command.verb == MN_VERB_TRIGGER)
        at = word;
    command.argument = at;
    command.argument_len = (gsize)(end - at);
    command.argument_at = (gsize)(at - text);
    return command;
}

MnCommand mn_command_find(const char *text, gsize len, gboolean is_all) {
    const char *ending = len > 0 ? find_ending(text, len) : NULL;
    gsize line_len = ending ? (gsize)(ending - text) : len;
    MnCommand command;

    if (line_len >= MEMNOTIFYFS_REQUEST_MAX)
        return (MnCommand){ .verb = MN_VERB_TOO_LONG };
    if (len == 0 || (!ending && !is_all && !is_trigger(text, len)))
        return (MnCommand){ .verb = MN_VERB_INCOMPLETE };
    command = parse(text, line_len);
    command.len = ending ? line_len + 1 : is_all ? len : 0;
    return command;
}
