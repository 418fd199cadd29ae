/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "style.h"

#include "columns.h"

#include <string.h>
#include <unistd.h>

static const char *const sequences[] = {
    [CMD_COLOUR_GREEN] = "\033[32m", [CMD_COLOUR_YELLOW] = "\033[33m", [CMD_COLOUR_RED] = "\033[31m",
    [CMD_COLOUR_BOLD] = "\033[1m",   [CMD_COLOUR_DIM] = "\033[2m",
};

gboolean cmd_style_has_colours(void) {
    const char *refusal = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");

    return isatty(STDOUT_FILENO) && !(refusal && *refusal) && terminal && strcmp(terminal, "dumb") != 0;
}

void cmd_style_append(GString *line, CmdColour colour, const char *text) {
    if (colour == CMD_COLOUR_NONE || !cmd_style_has_colours())
        g_string_append(line, text);
    else
        g_string_append_printf(line, "%s%s\033[0m", sequences[colour], text);
}

void cmd_style_append_shown(GString *line, const char *text, guint width) {
    guint columns = cmd_columns_append(line, text, G_MAXUINT);

    g_string_append_printf(line, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

CmdColour cmd_style_of_use(double share) {
    return share >= 0.9 ? CMD_COLOUR_RED : share >= 0.75 ? CMD_COLOUR_YELLOW : CMD_COLOUR_GREEN;
}

CmdColour cmd_style_of_meter(MnMeterId meter, double share) {
    switch (meter) {
    case MN_METER_USED:
    case MN_METER_SWAP_USED:
        return cmd_style_of_use(share);
    case MN_METER_AVAILABLE:
        return cmd_style_of_use(1 - share);
    default:
        return CMD_COLOUR_DIM;
    }
}

CmdColour cmd_style_of_stall(guint hundredths) {
    return hundredths >= 1000 ? CMD_COLOUR_RED : hundredths >= 100 ? CMD_COLOUR_YELLOW : CMD_COLOUR_NONE;
}

guint cmd_style_append_blocks(GString *line, double share, guint width) {
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    gboolean has_blocks = g_get_charset(NULL);
    guint filled = (guint)(CLAMP(share, 0, 1) * width * 8 + 0.5), drawn = 0;

    for (; drawn < filled / 8; drawn++)
        g_string_append(line, has_blocks ? "█" : "#");
    if (has_blocks && filled % 8 > 0) {
        g_string_append(line, eighths[filled % 8]);
        drawn++;
    }
    return width - drawn;
}

void cmd_style_append_bar(GString *line, double share, guint width, CmdColour colour) {
    g_autoptr(GString) bar = g_string_new(NULL);
    guint left = cmd_style_append_blocks(bar, share, width);

    g_string_append_c(line, '[');
    cmd_style_append(line, colour, bar->str);
    g_string_append_printf(line, "%*s]", (int)left, "");
}
