/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "style.h"

/* Beside a CmdColour: with background and foreground exchanged. */
#define CMD_INK_REVERSED 0x100

/* The whole terminal, on which text is put. What has no room is left away. */
typedef struct CmdScreen {
    guint rows;
    guint columns;
    gboolean has_colours;
    gboolean has_utf8;
} CmdScreen;

/* Keys that are no character. */
enum {
    CMD_KEY_NONE = 0,
    CMD_KEY_NEXT = 1, /* right, down, tab */
    CMD_KEY_PREVIOUS, /* left, up */
    CMD_KEY_OTHER,
};

/* Takes the terminal, which cmd_terminal_check() has looked at. Says what is wrong, and returns the exit status.
 * SIGWINCH, SIGTSTP, SIGINT and SIGTERM have to be blocked, and are the caller's. */
int cmd_screen_open(CmdScreen *ret);

/* Gives it back as it was. */
void cmd_screen_close(void);

/* Gives it back while we are stopped, and takes it again. */
void cmd_screen_leave(void);
void cmd_screen_return(CmdScreen *self);

/* Follows the size of the terminal. */
void cmd_screen_resize(CmdScreen *self);

/* The next key that was pressed. */
int cmd_screen_take_key(void);

void cmd_screen_clear(void);

/* Text of anybody's, in the locale's encoding, as cmd_columns_append() shows it, in at most so many columns. Returns the
 * column behind it. `ink` is a CmdColour. */
guint cmd_screen_put(const CmdScreen *self, guint row, guint column, guint columns, guint ink, const char *text);

/* Text of our own that is known to have room there. */
void cmd_screen_draw(const CmdScreen *self, guint row, guint column, guint ink, const char *text);

/* Shows all that was put since it was cleared. */
void cmd_screen_show(void);
