/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a client of the socket asks for: memnotifyfs-socket(7). */
typedef enum MnVerb {
    MN_VERB_INCOMPLETE, /* more is to come */
    MN_VERB_NOTHING,    /* an empty line */
    MN_VERB_WATCH,
    MN_VERB_READ,
    MN_VERB_EVENTFD,
    MN_VERB_PAGE,
    MN_VERB_TRIGGER, /* the argument is all of the line, as a write to pressure has it */
    MN_VERB_QUIT,
    MN_VERB_UNKNOWN,
    MN_VERB_TOO_LONG,
} MnVerb;

typedef struct MnCommand {
    MnVerb verb;
    const char *argument; /* in the text, without blanks around it */
    gsize argument_len;
    gsize argument_at; /* where in the text */
    gsize len;         /* of the text that it takes up, with its ending; 0 while it has none */
} MnCommand;

/* Finds the first command of a text that arrives in pieces of any size; `is_all` says that there are no more. It ends with a
 * newline, or with the text. A trigger ends with a NUL as well, and may have no ending at all: then it is found as far as
 * it has come, of length 0, and may go on. A command of more than MEMNOTIFYFS_REQUEST_MAX bytes is too long, found as
 * soon as that is known. */
MnCommand mn_command_find(const char *text, gsize len, gboolean is_all);
