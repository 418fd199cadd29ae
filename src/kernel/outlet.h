/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where lines go out: a descriptor that was given to us, or the socket of the system's log. */
typedef struct MnOutlet {
    int fd;
    gboolean is_ours; /* to close */
    gssize (*write)(int fd, const char *text, gsize len);
    const char *log_path;    /* NULL for a descriptor */
    gboolean is_inside_line; /* the last one was cut off by what it was written to */
} MnOutlet;

/* Lines to `fd`, which stays the caller's and as it is: others have it, too, and may want it to block. */
void mn_outlet_init(MnOutlet *self, int fd);

/* Datagrams to the socket at `path`, which stays the caller's: the system's log. It need not be there yet,
 * and may be another next time. */
void mn_outlet_init_log(MnOutlet *self, const char *path);

void mn_outlet_clear(MnOutlet *self);

/* Writes a line of at most PIPE_BUF bytes, newline included. -errno when not all of it was taken at once:
 * -EAGAIN while nobody reads. Never waits for a reader. */
int mn_outlet_write(MnOutlet *self, const char *line, gsize len) G_GNUC_WARN_UNUSED_RESULT;
