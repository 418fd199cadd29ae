/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between begin and end, what is written to stderr, by this process or its children, is kept
 * instead: libfuse and fusermount3 report their errors there, and we report them as one line. */
typedef struct MnCapture {
    int stderr_fd; /* the real one */
    int kept_fd;
} MnCapture;

void mn_capture_begin(MnCapture *self);

/* Returns what was written, as one line without a newline at its end, "" for nothing. */
char *mn_capture_end(MnCapture *self);
