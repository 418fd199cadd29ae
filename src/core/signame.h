/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Parses "signal NAME", the request of a client that wants a signal: *ret is its number, or 0 for
 * "signal off".
 *
 *   request = "signal" [ NAME | NUMBER | "off" ]
 *
 * Without a name it is SIGIO. A name is as kill -l has it, with or without SIG, in capital or small
 * letters; real-time ones are RTMIN, RTMIN+N, RTMAX-N and RTMAX. Words are separated by blanks; a
 * newline or a NUL may end it. -EINVAL, with *ret untouched, for anything else, for number 0, and
 * for a signal that the C library keeps for itself. */
int mn_signame_parse(const char *text, gsize len, int *ret) G_GNUC_WARN_UNUSED_RESULT;
