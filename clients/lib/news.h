/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to tell, and which limits are reached.
 *
 * Events are kept in their order until the caller takes them. For each limit it is known what the server has said last,
 * and what the caller has been told last; where the two differ and no event is left that would say so, one is made. So
 * whatever gets lost, here or there, the caller's count of what is reached comes right. Of fixed size. */
#ifndef NEWS_H
#define NEWS_H

#include <memnotifyfs/client.h>

#define NEWS_LIMITS_MAX MEMNOTIFYFS_PAGE_METERS_MAX
#define NEWS_EVENTS_MAX 64

/* The state of a limit. */
struct news_limit {
    char meter[MEMNOTIFYFS_PAGE_NAME_MAX + 1];
    bool is_reached; /* as the server has said */
    bool is_told;    /* that it is reached, to the caller */
    int64_t time_us;
    uint64_t value_pages, limit_pages;
};

struct news {
    struct news_limit limits[NEWS_LIMITS_MAX];
    unsigned n_limits;
    struct memnotifyfs_event events[NEWS_EVENTS_MAX]; /* a ring */
    unsigned first, n_events;
    struct memnotifyfs_event lost;         /* all zero: none were */
    struct memnotifyfs_event reconnection; /* all zero: there was none */
};

/* Something has happened. When there is no room what had to be told before is lost, and counted. */
void news_add(struct news *self, const struct memnotifyfs_event *event);

/* This is so now: only what the caller does not know yet is told. */
void news_learn(struct news *self, const struct news_limit *limit);

/* The server was away. Several times, before the caller hears of it, are one. */
void news_add_reconnection(struct news *self, int64_t time_us);

/* Others are waited for from now on. */
void news_forget_limits(struct news *self);

bool news_is_empty(const struct news *self);

/* The next to tell; false: there is nothing. */
bool news_take(struct news *self, struct memnotifyfs_event *ret);

bool news_is_reached(const struct news *self, const char *meter);

#endif
