/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal, by ncurses, which is known here only. */
#include "screen.h"

#include "columns.h"
#include "message.h"
#include "verb.h"

#include <curses.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How long a key that begins with Escape may take to arrive, in ms. ncurses would wait a second for Escape itself. */
#define ESCAPE_MS 50

static const short colours[] = {
    [CMD_COLOUR_GREEN] = COLOR_GREEN, [CMD_COLOUR_YELLOW] = COLOR_YELLOW, [CMD_COLOUR_RED] = COLOR_RED
};

/* For those that have no colours, or are not to be given any. */
static const attr_t attributes[] = {
    [CMD_COLOUR_RED] = A_BOLD,
    [CMD_COLOUR_BOLD] = A_BOLD,
    [CMD_COLOUR_DIM] = A_DIM,
};

static void prepare_colours(CmdScreen *self) {
    self->has_colours = cmd_style_has_colours() && has_colors() && start_color() == OK;
    if (!self->has_colours)
        return;
    use_default_colors();
    for (short i = 0; i < (short)G_N_ELEMENTS(colours); i++)
        if (colours[i] != COLOR_BLACK)
            init_pair(i, colours[i], -1);
}

int cmd_screen_open(CmdScreen *ret) {
    CmdScreen screen = { .has_utf8 = g_get_charset(NULL) };

    if (!newterm(NULL, stdout, stdin))
        return cmd_fail("cannot draw on this terminal; 'memnotify status' prints a table anywhere");
    signal(SIGTSTP, SIG_DFL); /* not ncurses' own, which does what our caller does */
    prepare_colours(&screen);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    cmd_screen_resize(&screen);
    *ret = screen;
    return CMD_OK;
}

void cmd_screen_close(void) {
    endwin();
    delscreen(set_term(NULL));
}

void cmd_screen_leave(void) {
    endwin();
}

void cmd_screen_return(CmdScreen *self) {
    reset_prog_mode();
    clearok(curscr, TRUE);
    curs_set(0);
    cmd_screen_resize(self);
}

void cmd_screen_resize(CmdScreen *self) {
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        is_term_resized(size.ws_row, size.ws_col))
        resizeterm(size.ws_row, size.ws_col);
    self->rows = (guint)LINES;
    self->columns = (guint)COLS;
}

int cmd_screen_take_key(void) {
    int key = getch();

    switch (key) {
    case ERR:
        return CMD_KEY_NONE;
    case KEY_RIGHT:
    case KEY_DOWN:
    case '\t':
        return CMD_KEY_NEXT;
    case KEY_LEFT:
    case KEY_UP:
        return CMD_KEY_PREVIOUS;
    default:
        return key > ' ' && key < 0x7f ? key : CMD_KEY_OTHER;
    }
}

void cmd_screen_clear(void) {
    erase();
}

static attr_t attribute_of(const CmdScreen *self, guint ink) {
    guint colour = ink & ~CMD_INK_REVERSED;
    attr_t attribute = ink & CMD_INK_REVERSED ? A_REVERSE : A_NORMAL;

    if (self->has_colours && colour < G_N_ELEMENTS(colours) && colours[colour] != COLOR_BLACK)
        return attribute | (attr_t)COLOR_PAIR(colour);
    return attribute | (colour < G_N_ELEMENTS(attributes) ? attributes[colour] : A_NORMAL);
}

guint cmd_screen_put(const CmdScreen *self, guint row, guint column, guint columns, guint ink, const char *text) {
    g_autoptr(GString) line = g_string_new(NULL);
    guint used;

    if (row >= self->rows || column >= self->columns)
        return column;
    used = cmd_columns_append(line, text, MIN(columns, self->columns - column));
    cmd_screen_draw(self, row, column, ink, line->str);
    return column + used;
}

void cmd_screen_draw(const CmdScreen *self, guint row, guint column, guint ink, const char *text) {
    attrset((int)attribute_of(self, ink));
    mvaddstr((int)row, (int)column, text);
    attrset(A_NORMAL);
}

void cmd_screen_show(void) {
    refresh();
}
