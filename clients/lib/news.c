/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "news.h"

#include <string.h>

static struct news_limit *find_limit(const struct news *self, const char *meter) {
    for (unsigned i = 0; i < self->n_limits; i++)
        if (strcmp(self->limits[i].meter, meter) == 0)
            return (struct news_limit *)&self->limits[i];
    return NULL;
}

/* NULL: there are more meters than there can be. */
static struct news_limit *take_limit(struct news *self, const char *meter) {
    struct news_limit *limit = find_limit(self, meter);

    if (limit || self->n_limits == NEWS_LIMITS_MAX)
        return limit;
    limit = &self->limits[self->n_limits++];
    memset(limit, 0, sizeof *limit);
    strncat(limit->meter, meter, sizeof limit->meter - 1);
    return limit;
}

static bool is_crossing(const struct memnotifyfs_event *event) {
    return event->kind == MEMNOTIFYFS_REACHED || event->kind == MEMNOTIFYFS_LEFT;
}

static void add_lost(struct news *self, int64_t time_us, uint64_t count) {
    self->lost.kind = MEMNOTIFYFS_LOST;
    self->lost.time_us = time_us;
    self->lost.count += count;
}

static void put(struct news *self, const struct memnotifyfs_event *event) {
    if (self->n_events == NEWS_EVENTS_MAX) {
        add_lost(self, event->time_us, self->n_events);
        self->n_events = 0;
    }
    self->events[(self->first + self->n_events++) % NEWS_EVENTS_MAX] = *event;
}

/* Whether it is one: what was known is none. */
static bool note_crossing(struct news *self, const struct memnotifyfs_event *event) {
    struct news_limit *limit = take_limit(self, event->meter);
    bool is_reached = event->kind == MEMNOTIFYFS_REACHED;

    if (!limit || limit->is_reached == is_reached)
        return false;
    limit->is_reached = is_reached;
    limit->time_us = event->time_us;
    limit->value_pages = event->value_pages;
    limit->limit_pages = event->limit_pages;
    return true;
}

void news_add(struct news *self, const struct memnotifyfs_event *event) {
    if (event->kind == MEMNOTIFYFS_LOST)
        add_lost(self, event->time_us, event->count);
    else if (!is_crossing(event) || note_crossing(self, event))
        put(self, event);
}

void news_learn(struct news *self, const struct news_limit *limit) {
    struct news_limit *known = take_limit(self, limit->meter);

    if (!known)
        return;
    known->is_reached = limit->is_reached;
    known->time_us = limit->time_us;
    known->value_pages = limit->value_pages;
    known->limit_pages = limit->limit_pages;
}

void news_add_reconnection(struct news *self, int64_t time_us) {
    self->reconnection.kind = MEMNOTIFYFS_RECONNECTED;
    self->reconnection.time_us = time_us;
}

void news_forget_limits(struct news *self) {
    unsigned n = self->n_events;

    self->n_limits = 0;
    self->n_events = 0;
    for (unsigned i = 0; i < n; i++) { /* each stays where it is, or moves towards the first */
        const struct memnotifyfs_event *event = &self->events[(self->first + i) % NEWS_EVENTS_MAX];

        if (!is_crossing(event))
            self->events[(self->first + self->n_events++) % NEWS_EVENTS_MAX] = *event;
    }
}

/* What is known and was not told. */
static const struct news_limit *find_untold(const struct news *self) {
    for (unsigned i = 0; i < self->n_limits; i++)
        if (self->limits[i].is_reached != self->limits[i].is_told)
            return &self->limits[i];
    return NULL;
}

bool news_is_empty(const struct news *self) {
    return !self->lost.kind && !self->reconnection.kind && self->n_events == 0 && !find_untold(self);
}

static struct memnotifyfs_event take_once(struct memnotifyfs_event *event) {
    struct memnotifyfs_event taken = *event;

    memset(event, 0, sizeof *event);
    return taken;
}

static struct memnotifyfs_event take_first(struct news *self) {
    struct memnotifyfs_event event = self->events[self->first];

    self->first = (self->first + 1) % NEWS_EVENTS_MAX;
    self->n_events--;
    return event;
}

static struct memnotifyfs_event describe(const struct news_limit *limit) {
    struct memnotifyfs_event event = { .kind = limit->is_reached ? MEMNOTIFYFS_REACHED : MEMNOTIFYFS_LEFT,
                                       .time_us = limit->time_us,
                                       .value_pages = limit->value_pages,
                                       .limit_pages = limit->limit_pages };

    memcpy(event.meter, limit->meter, sizeof event.meter);
    return event;
}

static bool take_next(struct news *self, struct memnotifyfs_event *ret) {
    const struct news_limit *untold = find_untold(self);

    if (self->lost.kind)
        *ret = take_once(&self->lost);
    else if (self->reconnection.kind)
        *ret = take_once(&self->reconnection);
    else if (self->n_events > 0)
        *ret = take_first(self);
    else if (untold)
        *ret = describe(untold);
    else
        return false;
    return true;
}

/* false: it is known to the caller. */
static bool note_told(struct news *self, const struct memnotifyfs_event *event) {
    struct news_limit *limit = is_crossing(event) ? find_limit(self, event->meter) : NULL;
    bool is_reached = event->kind == MEMNOTIFYFS_REACHED;

    if (limit && limit->is_told == is_reached)
        return false;
    if (limit)
        limit->is_told = is_reached;
    return true;
}

bool news_take(struct news *self, struct memnotifyfs_event *ret) {
    struct memnotifyfs_event event;

    while (take_next(self, &event))
        if (note_told(self, &event)) {
            *ret = event;
            return true;
        }
    return false;
}

bool news_is_reached(const struct news *self, const char *meter) {
    const struct news_limit *limit = find_limit(self, meter);

    return limit && limit->is_reached;
}
