/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places to mount on that need not exist: for a mount namespace of our own, where nobody minds. Exit
 * with EXIT_OURS and one line when it cannot be done. */
#pragma once

#define EXIT_OURS 125

/* Sees to it that the directory `path` exists. Where it may not be made, its parent directory gives
 * way to a private copy that has it. */
void place_need_directory(const char *path);

/* Sees to it that there is something at `path` that a file can be mounted on. Makes no file where
 * others would see it: if there is none, the parent directory gives way to a private copy. */
void place_need_file(const char *path);
