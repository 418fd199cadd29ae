/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the terminal can do. Apart from the screen, as <term.h> takes words like "columns" away from who includes it. */
#include "terminal.h"

#include "message.h"
#include "verb.h"

#include <unistd.h>

#include <curses.h>
#include <term.h>

static gboolean is_able(const char *capability) {
    const char *found = tigetstr(capability);

    return found && found != (char *)-1;
}

int cmd_terminal_check(void) {
    const char *name = g_getenv("TERM");
    gboolean can_be_drawn_on;
    int problem;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cmd_fail("top needs a terminal; 'memnotify status' prints a table anywhere");
    if (!name || !*name)
        return cmd_fail("top needs to know the terminal: set TERM; 'memnotify status' prints a table anywhere");
    if (setupterm(name, STDOUT_FILENO, &problem) == ERR)
        return cmd_fail("the terminal '%s' is not known here: set TERM to a kind that is, as 'vt100'", name);
    can_be_drawn_on = is_able("cup") && is_able("clear");
    del_curterm(cur_term); /* ncurses takes another for its screen */
    if (!can_be_drawn_on)
        return cmd_fail("top cannot draw on a terminal of the kind '%s'; 'memnotify status' prints a table anywhere",
                        name);
    return CMD_OK;
}
