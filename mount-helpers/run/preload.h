/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libmemnotify-trim for the command. Exits with EXIT_OURS and one line when it cannot be had. */
#pragma once

/* Lets the command, which is executed next, give memory back when one of `limits` is reached, NULL for those that are
 * preset. The server is there, at `place`, and is asked whether it understands them. Says so on standard error, in one line,
 * if `command` is nothing that could be made to: it is executed all the same. */
void preload_trim(const char *place, const char *limits, const char *command);
