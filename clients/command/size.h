/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How amounts of memory are shown. */
typedef enum CmdUnit {
    CMD_UNIT_HUMAN, /* "482M", "1.5G": three digits, in steps of 1024, as limits are written */
    CMD_UNIT_BYTES,
    CMD_UNIT_PAGES,
} CmdUnit;

/* With its NUL. */
#define CMD_SIZE_BYTES 24

/* Bytes in a page of memory. */
guint64 cmd_page_bytes(void);

/* Writes so many bytes for people, and returns `text`. */
const char *cmd_size_print_bytes(guint64 bytes, char text[CMD_SIZE_BYTES]);

/* Writes so many pages, in the unit, and returns `text`. */
const char *cmd_size_print(guint64 pages, CmdUnit unit, char text[CMD_SIZE_BYTES]);
