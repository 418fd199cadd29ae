/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

#include <memnotifyfs/memnotifyfs.h>

/* A limit of a named threshold was reached or left. */
typedef struct MnEvent {
    gint64 time_us; /* CLOCK_MONOTONIC, of the sample that showed it */
    guint64 value_pages;
    guint64 limit_pages;
    guint8 meter; /* MnMeterId */
    guint8 is_reached;
    char name[MEMNOTIFYFS_NAME_MAX + 1];
} MnEvent;

/* The last events, for any number of readers, each with a cursor of its own. */
typedef struct MnEventLog MnEventLog;

MnEventLog *mn_event_log_new(void);
void mn_event_log_free(MnEventLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnEventLog, mn_event_log_free)

/* Without allocation; the oldest event makes room. */
void mn_event_log_append(MnEventLog *self, const MnEvent *event);

/* The cursor of a reader that wants what comes from now on. */
guint64 mn_event_log_get_end(const MnEventLog *self);

/* Puts the next line for the reader at *cursor into `line` and moves the cursor on. Returns its
 * length, 0 when there is none. A reader that was overtaken first gets the line that says how many
 * events it lost.
 *
 *   12.345678 low used reached 4945700 4945632
 *   12.345678 - - lost 17 */
gsize mn_event_log_next(const MnEventLog *self, guint64 *cursor, char line[MEMNOTIFYFS_EVENT_LINE_MAX]);
