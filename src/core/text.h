/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The most bytes that one character takes when it is shown: four, each as "\377". */
#define MN_TEXT_SHOWN_BYTES 16

/* Takes the next character off *text, which has one, and writes to `shown` how it is shown so that a line
 * stays one line and no terminal is told anything: as it is if it is printable UTF-8, else a newline as
 * "\n" and everything else byte by byte in octal, "\033". That is control characters of ASCII and of
 * Unicode, separators of lines, what is invisible or turns the direction of writing, what Unicode has not
 * assigned, and bytes that are no UTF-8. Returns the length; there is no NUL. */
gsize mn_text_show_next(const char **text, char shown[MN_TEXT_SHOWN_BYTES]);
