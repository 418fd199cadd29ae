/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"

#include <sys/types.h>

/* The longest list that is accepted, and the longest that is shown: 64 KiB have room for less than
 * 13,000 different pids, and none is shown with more than 8 bytes. */
#define MN_PID_LIST_TEXT_MAX 65536
#define MN_PID_LIST_SHOWN_MAX (2 * MN_PID_LIST_TEXT_MAX)

/* Parses "11 22 33": decimal numbers from 1 up, joined by any number of blanks, tabs or newlines,
 * which may also stand before and behind; one final NUL is ignored. A number that comes again is
 * left out. *ret is a new array of pid_t.
 *
 * -EINVAL, with *ret untouched, for 0, a number over 31 bits, a text over MN_PID_LIST_TEXT_MAX, or
 * anything else. Then `fault`, which may be NULL, says what is wrong. */
int mn_pid_list_parse(const char *text, gsize len, MnFault *fault, GArray **ret) G_GNUC_WARN_UNUSED_RESULT;

/* Appends one of the list as the original did: with a blank behind it. After the last comes a
 * newline. */
void mn_pid_list_append(GString *text, pid_t pid);
