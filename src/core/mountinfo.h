/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One line of /proc/PID/mountinfo. */
typedef struct MnMount {
    guint64 id;
    guint major; /* of the filesystem's st_dev */
    guint minor;
    char *mountpoint;
    char *type;
} MnMount;

void mn_mount_clear(MnMount *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MnMount, mn_mount_clear)

/* Calls accept() for each line of the text and copies the last one that it accepts to *ret: of
 * several mounts at one place the last is on top. -ENOENT if there is none; lines that are not
 * understood are skipped. */
int mn_mount_find(const char *text, gboolean (*accept)(const MnMount *mount, gconstpointer data),
                  gconstpointer data, MnMount *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The device of the mount of that id, without allocation. -ENOENT if there is none. */
int mn_mount_find_device(const char *text, guint64 id, guint *ret_major, guint *ret_minor)
    G_GNUC_WARN_UNUSED_RESULT;
