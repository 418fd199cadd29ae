/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>

typedef union Pages {
    size_t size; /* of all of it */
    max_align_t alignment;
} Pages;

void *pages_calloc(size_t n, size_t size) {
    Pages *self;

    if (__builtin_mul_overflow(n, size, &size) || __builtin_add_overflow(size, sizeof *self, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    self = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (self == MAP_FAILED)
        return NULL;
    self->size = size;
    return self + 1;
}

void pages_free(void *memory) {
    Pages *self = memory;

    if (self) {
        self--;
        munmap(self, self->size);
    }
}
