/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"

/* What there is to say to a person on stderr: one line, "memnotify: what, and what to do",
 * with the name of the program. */
void cmd_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The same, and returns CMD_FAILED, so that a verb can end with it. */
int cmd_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The same of a command line that is not understood: CMD_MISUSED. */
int cmd_misuse(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The same of a text that is not: the reason, and below it the text with a caret. `what` is what it was to be. */
int cmd_misuse_text(const char *what, const char *text, const MnFault *fault);
