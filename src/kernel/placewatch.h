/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Tells when a directory is made or removed: the one above it does (inotify). Its descriptor is kept until the end,
 * since closing one waits for the kernel. */
typedef struct MnPlaceWatch {
    char *above; /* NULL: watches nothing */
    char *name;
    int fd; /* -1: none could be had as yet */
    int wd; /* -1: not now */
} MnPlaceWatch;

/* For the directory at that path; NULL for none. */
void mn_place_watch_init(MnPlaceWatch *self, const char *path);
void mn_place_watch_clear(MnPlaceWatch *self);

/* From now on the descriptor that is returned becomes readable; mn_place_watch_drain() reads it empty. Once more, when
 * the directory above may have been made anew, too, or when it failed. -errno. */
int mn_place_watch_start(MnPlaceWatch *self);
void mn_place_watch_stop(MnPlaceWatch *self); /* a second time has no effect */

/* Whether there was news of this directory. */
gboolean mn_place_watch_drain(MnPlaceWatch *self);
