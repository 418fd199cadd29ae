/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring of events. */
#include "backlog.h"

/* Some twenty lines wait in the kernel before the first waits here. */
#define ROOM_AT_LEAST 8

static guint room_for(guint n_limits) {
    return MAX(2 * n_limits, ROOM_AT_LEAST);
}

gsize mn_backlog_bytes(guint n_limits) {
    return room_for(n_limits) * sizeof(MnEvent);
}

static const MnEvent *oldest(const MnBacklog *self) {
    return &self->events[self->first];
}

static void drop_oldest(MnBacklog *self) {
    self->first = (self->first + 1) % self->room;
    self->n--;
}

void mn_backlog_grow(MnBacklog *self, guint n_limits) {
    MnBacklog other = { .room = room_for(n_limits), .n_lost = self->n_lost };

    if (other.room <= self->room)
        return;
    other.events = g_new(MnEvent, other.room);
    for (; self->n > 0; drop_oldest(self))
        mn_backlog_add(&other, oldest(self));
    g_free(self->events);
    *self = other;
}

void mn_backlog_clear(MnBacklog *self) {
    g_free(self->events);
    *self = (MnBacklog){ 0 };
}

void mn_backlog_add(MnBacklog *self, const MnEvent *event) {
    if (self->n == self->room) {
        drop_oldest(self);
        self->n_lost++;
    }
    self->events[(self->first + self->n++) % self->room] = *event;
}

gsize mn_backlog_take(MnBacklog *self, char line[MEMNOTIFYFS_EVENT_LINE_MAX]) {
    MnEvent event;

    if (self->n == 0)
        return 0;
    event = *oldest(self);
    if (self->n_lost > 0)
        event = (MnEvent){ .time_us = event.time_us, .word = MN_EVENT_LOST, .value_pages = self->n_lost };
    else
        drop_oldest(self);
    self->n_lost = 0;
    return mn_event_print(&event, "", line);
}
