/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches of durations: filled without allocation, printed between batches. */
#include "series.h"

#include "fatal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void series_init(Series *self, const char *name, size_t size) {
    *self = (Series){ .name = name, .size = size, .values = calloc(size, sizeof self->values[0]) };
    if (!self->values)
        fatal("cannot allocate %zu numbers", size);
}

void series_clear(Series *self) {
    free(self->values);
    self->values = NULL;
}

void series_begin(Series *self) {
    self->n = 0;
}

void series_add(Series *self, int64_t value) {
    if (self->n < self->size)
        self->values[self->n++] = value;
}

void series_print(const Series *self) {
    fputs(self->name, stdout);
    for (size_t i = 0; i < self->n; i++)
        printf(" %" PRId64, self->values[i]);
    putchar('\n');
    fflush(stdout);
}

int64_t series_now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
