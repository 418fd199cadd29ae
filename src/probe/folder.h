/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe/replay.h"

/* A directory of the kernel's files, or what a replay has in its place. Copied by assignment. */
typedef struct MnFolder {
    int fd;           /* -1: closed, or a replay's */
    MnReplay *replay; /* NULL: a directory */
    int level;        /* of the group in the replay; negative: the machine */
} MnFolder;

#define MN_FOLDER_CLOSED                                                                                               \
    { .fd = -1 }

/* Of a directory, which is taken over; of a replay: the files of its group `level`, see script.h, or if that is negative those
 * of the machine. */
MnFolder mn_folder_of_directory(int fd);
MnFolder mn_folder_of_replay(MnReplay *replay, int level);
void mn_folder_close(MnFolder *self); /* a second time has no effect */
gboolean mn_folder_is_open(const MnFolder *self);

/* Opens a file of it, the flags being those of open(2). The descriptor, or -errno: -ENODEV when it is closed, -EROFS for a
 * write into a replay. */
int mn_folder_open(const MnFolder *self, const char *name, int flags) G_GNUC_WARN_UNUSED_RESULT;

/* Whether there is a file of that name: TRUE also when that cannot be found out. */
gboolean mn_folder_has(const MnFolder *self, const char *name);
