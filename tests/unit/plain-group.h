/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Directories of plain files that look like memory control groups: what needs no kernel can be tested
 * with them. The real ones are in tests/integration, tests/container and tests/vm. */

/* Makes "group" in a temporary directory of its own, with the files of v1 or v2 that a group is known
 * by: limit, usage (1000 pages), memory.stat. */
char *plain_group_new(guint version);

/* Replaces the text of a file, or adds one. */
void plain_group_put(const char *directory, const char *name, const char *text);
void plain_group_put_pages(const char *directory, const char *name, guint64 pages);

/* The text of a file, up to its first NUL. */
char *plain_group_get(const char *directory, const char *name);

/* As rmdir(2) of a group, which takes its files with it: there is nothing to read any more for who has them open. A
 * second time has no effect. */
void plain_group_remove(const char *directory);

/* As mkdir(2) of it afterwards, of that version. */
void plain_group_make(const char *directory, guint version);

/* Removes what is left of one of plain_group_new(), and frees the name. */
void plain_group_free(char *directory);
