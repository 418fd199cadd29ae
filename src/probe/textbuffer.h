/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Holds the text of a file, and grows with it; all zero is empty. It never shrinks. */
typedef struct MnTextBuffer {
    char *bytes;
    gsize size;
} MnTextBuffer;

void mn_text_buffer_clear(MnTextBuffer *self);

/* Reads an open file whole, from its beginning. -EFBIG when it is absurdly long, else -errno. */
int mn_text_buffer_read(MnTextBuffer *self, int fd, gsize *ret_len) G_GNUC_WARN_UNUSED_RESULT;

/* Reads its first `n` bytes, or as many as there was room for when it was read whole. How many these were, or -errno. */
gssize mn_text_buffer_read_some(MnTextBuffer *self, int fd, gsize n) G_GNUC_WARN_UNUSED_RESULT;
