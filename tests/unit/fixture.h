/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The names of the recorded and made machines below tests/fixtures that begin with `prefix`, sorted;
 * "" for those that a reader accepts, which are all but "bad-…". Never empty. */
GPtrArray *fixture_names(const char *prefix);

/* The text of one file of a machine in a block of exactly its size, so that a sanitizer sees who
 * reads beyond it. The program ends when it is not there. */
char *fixture_read(const char *machine, const char *file, gsize *ret_len);

/* A temporary directory with the three files of a machine. */
char *fixture_copy(const char *machine);

/* Replaces a file of such a copy at once, as rename() does. */
void fixture_replace(const char *directory, const char *file, const char *text, gsize len);

/* Removes the copy and what is in it, and frees the name. */
void fixture_remove(char *directory);

/* The number that follows `key` at the beginning of a line ("MemTotal:", "nr_dirty "), 0 when there
 * is none: a reckoning of its own, which shares nothing with the parsers under test. */
guint64 fixture_number(const char *text, gsize len, const char *key);
