/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text of limits, as <memnotifyfs/contract.h> describes it, taken to pieces. Whether it is right is for the server to
 * say: what is refused here is only what cannot be taken to pieces. */
#ifndef LIMIT_H
#define LIMIT_H

#include <memnotifyfs/client.h>

#include <stddef.h>

#define LIMIT_N_MAX MEMNOTIFYFS_PAGE_METERS_MAX

/* A limit on one meter. */
struct limit {
    char meter[MEMNOTIFYFS_PAGE_NAME_MAX + 1];
    bool is_below;
    const char *op;        /* ">=", ">", "<=", "<" or "" */
    const char *amount;    /* what follows it, in the text that was split, ... */
    size_t len;            /* ... so many bytes */
    uint64_t pages;        /* added to */
    uint32_t micropercent; /* this share of the meter total */
};

/* Makes one line of it, in which each byte that means something is where it was: what ends lines, tabs and comments
 * become blanks. */
void limit_flatten(char *text);

/* Takes a flat text to pieces, without limits that track nothing. A page of memory has `page_bytes`. 0; -EINVAL. */
int limit_split_all(const char *text, unsigned page_bytes, struct limit limits[LIMIT_N_MAX], size_t *ret);

/* Where the limit is if the meter total shows `total_pages`. */
uint64_t limit_at_pages(const struct limit *self, uint64_t total_pages);

#endif
