/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Reads the decimal digits at *at, up to `end`, and moves *at behind them. No sign, no blanks.
 * -EINVAL, with nothing changed: no digit there, or a number over 64 bits. */
int mn_number_parse(const char **at, const char *end, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;

#define MN_NUMBER_DIGITS_MAX 20

/* Writes a number in decimal, of at least `least` digits (MN_NUMBER_DIGITS_MAX at most), and returns where it ends. There is
 * no NUL. The line of an event takes 60 ns so, and 310 by printf(): one sample may concern thousands. */
char *mn_number_put(char *at, guint64 number, guint least);

/* Arithmetic that stops at the ends of what 64 bits hold: the kernel's numbers are not all of one moment, and a
 * damaged text may have any. */
static inline guint64 mn_add(guint64 amount, guint64 more) {
    return amount <= G_MAXUINT64 - more ? amount + more : G_MAXUINT64;
}

static inline guint64 mn_subtract(guint64 from, guint64 amount) {
    return from > amount ? from - amount : 0;
}

static inline guint64 mn_multiply(guint64 amount, guint64 by) {
    return by == 0 || amount <= G_MAXUINT64 / by ? amount * by : G_MAXUINT64;
}

/* A part of a whole, which it does not exceed. The kernel and those who stand in for it subtract without looking, and what
 * falls below 0 comes out as more than `most` that there could be: that is 0. */
static inline guint64 mn_part(guint64 part, guint64 whole, guint64 most) {
    return part <= whole ? part : part <= most ? whole : 0;
}
