/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files -> text, without an allocation where they have not grown. */
#include "textbuffer.h"

#include <errno.h>
#include <unistd.h>

#define BYTES_FIRST 16384
#define BYTES_MAX (1U << 20) /* the zoneinfo of 64 nodes with 1024 CPUs has 700 KiB */

void mn_text_buffer_clear(MnTextBuffer *self) {
    g_free(self->bytes);
    *self = (MnTextBuffer){ 0 };
}

static void grow(MnTextBuffer *self) {
    self->size = self->size == 0 ? BYTES_FIRST : 2 * self->size;
    self->bytes = g_realloc(self->bytes, self->size);
}

static gssize pread_retrying(int fd, char *bytes, gsize size, off_t offset) {
    gssize n;

    do
        n = pread(fd, bytes, size, offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int mn_text_buffer_read(MnTextBuffer *self, int fd, gsize *ret_len) {
    gsize len = 0;

    for (;;) {
        gssize n;

        if (len == self->size) {
            if (self->size >= BYTES_MAX)
                return -EFBIG;
            grow(self);
        }
        n = pread_retrying(fd, self->bytes + len, self->size - len, len);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        len += n;
    }

    *ret_len = len;
    return 0;
}

gssize mn_text_buffer_read_some(MnTextBuffer *self, int fd, gsize n) {
    return pread_retrying(fd, self->bytes, MIN(n, self->size), 0);
}
