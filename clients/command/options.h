/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "size.h"
#include "verb.h"

/* What all verbs can be told. Strings are those of the command line, and live as long as the program. */
typedef struct CmdOptions {
    char *place; /* of the server: a mount point or a socket; NULL: the usual ones */
    gboolean wants_json;
    CmdUnit unit;
    char **arguments; /* what is left, ending with NULL */
} CmdOptions;

typedef enum CmdParsed {
    CMD_PARSED,
    CMD_HELPED,     /* the help was printed: there is nothing more to do */
    CMD_NOT_PARSED, /* what is wrong was said */
} CmdParsed;

/* Parses the command line of a verb; `own` are the options that only it has, ending with { NULL }, or NULL. Between
 * `least` and `most` arguments may be left. Options may stand before, between and behind arguments; "--" ends them. */
CmdParsed cmd_options_parse(const CmdVerb *verb, const GOptionEntry *own, guint least, guint most, char ***argv,
                            CmdOptions *ret);

/* Takes what follows the first "--" off the command line, and that: the words of a command, to be freed. NULL: there is no
 * "--". */
char **cmd_options_split(char ***argv);

/* The exit status for a command line that leaves nothing to do. */
int cmd_parsed_status(CmdParsed parsed);
