/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The durations of one batch. bench/run reads what is printed: a line of a name and numbers. */
typedef struct Series {
    const char *name;
    size_t n;
    size_t size;
    int64_t *values;
} Series;

void series_init(Series *self, const char *name, size_t size);
void series_clear(Series *self);

/* Begins the next batch. */
void series_begin(Series *self);
void series_add(Series *self, int64_t value);

/* Prints the batch as one line, "ours 5123 5087 ...". */
void series_print(const Series *self);

/* CLOCK_MONOTONIC. */
int64_t series_now_ns(void);
