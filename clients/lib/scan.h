/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The smallest parts of a text: each moves *at behind what it has found, or leaves everything as it was. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits. 0; -EINVAL: there are none, or too many. */
int scan_number(const char **at, uint64_t *ret);

/* "3887.453731", in microseconds. 0; -EINVAL. */
int scan_seconds(const char **at, int64_t *ret);

/* What comes before the next blank or the end, as a string of at most size - 1 bytes, and the blank. 0; -EINVAL:
 * nothing does, or it is longer. */
int scan_word(const char **at, char *ret, size_t size);

/* Whether `text` comes. */
bool scan_text(const char **at, const char *text);

#endif
