/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a thread that has descriptors of its own says something in the program's name: on the program's standard error, as
 * long as that is what it was when the program was started. A program that has become a daemon, or has given the
 * number to another file, is not written to; then it is syslog(3)'s socket. */
#ifndef JOURNAL_H
#define JOURNAL_H

/* Remembers what standard error is. To be called before the program runs. */
void journal_init(void);

/* One line. Does not wait: nobody hears it where neither can be had, or where nobody reads it. */
void journal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
