/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a text was refused. */
#ifndef REFUSAL_H
#define REFUSAL_H

struct refusal {
    unsigned column;  /* the byte at which it is wrong, from 1; 0: not known */
    char reason[160]; /* with its NUL; cut off if it is longer */
};

/* The last refusal of `text`, written to the file `name`, that the file errors shows:
 *
 *     3086.214406 memnotify: there is no meter of that name
 *         used 80% usd 80%
 *                  ^
 *
 * All zero if it shows none. Of a long text a part is shown, so its column is not known. */
void refusal_find(const char *shown, const char *name, const char *text, struct refusal *ret);

#endif
