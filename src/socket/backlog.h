/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/event.h"

/* Events that a client has not been sent yet. Who reads too slowly loses the oldest, and is told how many. */
typedef struct MnBacklog {
    MnEvent *events; /* a ring; NULL without room */
    guint room;
    guint first;
    guint n;
    guint64 n_lost; /* since the last that was sent */
} MnBacklog;

/* How many bytes a backlog takes that has room for what so many limits make in two samples. */
gsize mn_backlog_bytes(guint n_limits);

/* Makes that room, unless there is more already, and keeps what there is. */
void mn_backlog_grow(MnBacklog *self, guint n_limits);
void mn_backlog_clear(MnBacklog *self);

/* Allocates nothing; the oldest makes room. */
void mn_backlog_add(MnBacklog *self, const MnEvent *event);

/* The next line to send, as mn_event_print() has it; 0 for none. */
gsize mn_backlog_take(MnBacklog *self, char line[MEMNOTIFYFS_EVENT_LINE_MAX]);
