/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

typedef enum CmdColour {
    CMD_COLOUR_NONE,
    CMD_COLOUR_GREEN,
    CMD_COLOUR_YELLOW,
    CMD_COLOUR_RED,
    CMD_COLOUR_BOLD,
    CMD_COLOUR_DIM,
} CmdColour;

/* Whether standard output may be coloured: it is a terminal that is not "dumb", and $NO_COLOR is not set
 * (https://no-color.org). */
gboolean cmd_style_has_colours(void);

/* Appends the text in a colour, where colours are allowed. */
void cmd_style_append(GString *line, CmdColour colour, const char *text);

/* Appends a text of somebody else's so that it stays on its line and tells the terminal nothing (core/text), and blanks up
 * to `width` columns. */
void cmd_style_append_shown(GString *line, const char *text, guint width);

/* How bad it is that so much of something is used, from 0 to 1. */
CmdColour cmd_style_of_use(double share);

/* The same of a meter: whether much of it is bad, or little of it is. */
CmdColour cmd_style_of_meter(MnMeterId meter, double share);

/* How bad it is that tasks have waited for so many hundredths of a per cent of the time. */
CmdColour cmd_style_of_stall(guint hundredths);

/* Appends what fills the share (0 to 1) of `width` columns: blocks of eighths where the terminal has UTF-8, else '#'.
 * Returns how many columns are left. */
guint cmd_style_append_blocks(GString *line, double share, guint width);

/* Appends a bar of `width` columns in brackets, of such blocks. */
void cmd_style_append_bar(GString *line, double share, guint width, CmdColour colour);
