/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page: all meters in memory that the server shares with whoever asks for it by its socket (memnotifyfs-socket(7),
 * request "page"), to be read without a system call.
 *
 * It is mapped read-only and once. A forked child may go on to use it. While the server lives, and the connection by
 * which the page has come, the values are those of the last look at the machine, at most `period_ms` and a moment old. When
 * the server has ended, by whatever means, the kernel says so in `server`; the values then are the last ones.
 *
 * There are two banks of values. The server writes the one that nobody is sent to and then counts `sequence` up, whose
 * lowest bit says which bank is valid. So a reader never waits, whatever becomes of the server, and who finds `sequence`
 * as it was before has read values of one moment.
 *
 *     const struct memnotifyfs_page *page = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
 *     int available = memnotifyfs_page_find(page, "available");     // once
 *     uint64_t pages = memnotifyfs_page_get(page, available);       // as often as you like
 */
#ifndef MEMNOTIFYFS_PAGE_H
#define MEMNOTIFYFS_PAGE_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Of the layout below. What is added later goes to the end, so that `version` stays and `bytes` grows; what cannot be
 * added makes another version. A reader checks `version`, and `bytes` for what was added after its own time. */
#define MEMNOTIFYFS_PAGE_VERSION 1

#define MEMNOTIFYFS_PAGE_METERS_MAX 32
#define MEMNOTIFYFS_PAGE_NAME_MAX 31 /* with a NUL after it */

/* In `server`, set by the kernel as in the word of a robust futex: the server has ended. */
#define MEMNOTIFYFS_PAGE_ENDED 0x40000000U

/* In `state`: the group whose memory is shown was removed; the values are those of before. */
#define MEMNOTIFYFS_PAGE_GONE 1U

/* In `state`: it is the memory of a control group, and not that of the machine. */
#define MEMNOTIFYFS_PAGE_GROUP 2U

struct memnotifyfs_page_bank {
    int64_t time_us; /* CLOCK_MONOTONIC */
    uint32_t state;
    uint32_t reserved;
    uint64_t pages[MEMNOTIFYFS_PAGE_METERS_MAX]; /* of memory, in the order of the names */
};

struct memnotifyfs_page {
    uint32_t version;
    uint32_t bytes;      /* how much of this is filled in */
    uint32_t page_bytes; /* how many bytes a page of memory has */
    uint32_t period_ms;
    uint32_t n_meters;
    uint32_t server;
    uint32_t sequence;
    uint32_t reserved;
    char names[MEMNOTIFYFS_PAGE_METERS_MAX][MEMNOTIFYFS_PAGE_NAME_MAX + 1];
    struct memnotifyfs_page_bank banks[2];
};

/* Which of the meters is called `name`, for the functions below; -ENOENT: none is, here. */
static inline int memnotifyfs_page_find(const struct memnotifyfs_page *page, const char *name) {
    uint32_t i;

    for (i = 0; i < page->n_meters && i < MEMNOTIFYFS_PAGE_METERS_MAX; i++)
        if (strncmp(page->names[i], name, sizeof page->names[i]) == 0)
            return (int)i;
    return -ENOENT;
}

/* Whether the server has ended. */
static inline int memnotifyfs_page_has_ended(const struct memnotifyfs_page *page) {
    return (__atomic_load_n(&page->server, __ATOMIC_RELAXED) & MEMNOTIFYFS_PAGE_ENDED) != 0;
}

/* The value of one meter, in pages. `meter` is what memnotifyfs_page_find() has returned. */
static inline uint64_t memnotifyfs_page_get(const struct memnotifyfs_page *page, int meter) {
    uint32_t sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);

    /* Of one value there is no half, in whichever bank. */
    return __atomic_load_n(&page->banks[sequence & 1].pages[meter], __ATOMIC_RELAXED);
}

/* All values of one moment, in pages, with the time at which they were found. */
static inline void memnotifyfs_page_copy(const struct memnotifyfs_page *page, struct memnotifyfs_page_bank *ret) {
    uint32_t sequence, i;

    do {
        const struct memnotifyfs_page_bank *bank;

        sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
        bank = &page->banks[sequence & 1];
        ret->time_us = __atomic_load_n(&bank->time_us, __ATOMIC_RELAXED);
        ret->state = __atomic_load_n(&bank->state, __ATOMIC_RELAXED);
        ret->reserved = 0;
        for (i = 0; i < MEMNOTIFYFS_PAGE_METERS_MAX; i++)
            ret->pages[i] = __atomic_load_n(&bank->pages[i], __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (__atomic_load_n(&page->sequence, __ATOMIC_RELAXED) != sequence);
}

#endif
