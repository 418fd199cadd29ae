/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* With its NUL. */
#define MN_FAULT_REASON_BYTES 120

/* What is wrong with a text, for the person who has written it. All zero: nothing more is known than the error. */
typedef struct MnFault {
    gsize at; /* where, in bytes from the beginning of the text; its length for what is missing at the end */
    char reason[MN_FAULT_REASON_BYTES];
} MnFault;

/* Says what is wrong, and returns -EINVAL, so that a parser can end with it. Accepts NULL, for who does not want to know. */
int mn_fault_set(MnFault *self, gsize at, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Appends the text as one line, or the part of it that the fault is in, and below it a line that points there:
 *
 *     usd 80%
 *     ^
 *
 * What no terminal should be sent is shown as by core/text. The second line is left out where nothing is known. No more
 * than MN_FAULT_SHOWN_BYTES, however long the text. */
void mn_fault_show(const MnFault *self, const char *text, gsize len, GString *shown);

#define MN_FAULT_SHOWN_BYTES 256
