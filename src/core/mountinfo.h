/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One line of /proc/PID/mountinfo. */
typedef struct MnMount {
    guint64 id;
    guint major; /* of the filesystem's st_dev */
    guint minor;
    char *root; /* what of the filesystem is mounted */
    char *mountpoint;
    const char *type;
    const char *options; /* the filesystem's own */
    char *line;          /* which type and options are in */
} MnMount;

void mn_mount_clear(MnMount *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnMount, mn_mount_clear)

/* Puts the mount of the next line of *text into *self, in the place of the one before, and moves
 * *text behind it. Lines that are not understood are skipped. FALSE, with *self cleared, at the end. Of
 * several mounts at one place the last is on top. */
gboolean mn_mount_next(MnMount *self, const char **text);
