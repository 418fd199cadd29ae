/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A file that is there before it is needed: its blocks are on the disk, and its pages are locked in memory, so that writing to
 * it takes neither. It has a hidden name until there is something in it. */
typedef struct CmdDump {
    const char *directory;
    int directory_fd;
    int fd;      /* -1: there is none */
    void *pages; /* NULL: they are not locked */
    gsize size;
    gsize written;
    gboolean is_open; /* it has its name, and is written to */
} CmdDump;

/* Makes the first, of `size` bytes, in a directory, which no other recorder may use then. FALSE: it was said why not. That its pages cannot be locked is
 * warned of. */
gboolean cmd_dump_init(CmdDump *self, const char *directory, gsize size);
void cmd_dump_clear(CmdDump *self); /* what is not open is removed */

/* Gives it the name of a date, in microseconds since 1970, and a number where there is one of that name. FALSE: it was said
 * why not. Allocates nothing. */
gboolean cmd_dump_begin(CmdDump *self, gint64 date_us);

/* FALSE: it is full, or cannot be written to, which is said. Allocates nothing. */
gboolean cmd_dump_append(CmdDump *self, const guint8 *bytes, gsize len);

/* Cuts it to what is in it, brings that to the disk, and makes the next. FALSE: it was said why not. */
gboolean cmd_dump_end(CmdDump *self);
