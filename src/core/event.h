/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/crossing.h"

#include <memnotifyfs/contract.h>

typedef enum MnEventWord {
    MN_EVENT_LEFT,      /* a limit was left */
    MN_EVENT_REACHED,   /* or reached */
    MN_EVENT_CHANGED,   /* a meter of which nothing but that is told, to `value_pages` from `limit_pages` */
    MN_EVENT_REMOVED,   /* the group whose memory is shown was removed */
    MN_EVENT_RETURNED,  /* or has been made anew */
    MN_EVENT_LAST_CALL, /* whoever reads it is about to be killed */
    MN_EVENT_LOST,      /* `value_pages` events, for who reads too slowly */
} MnEventWord;

/* What happened to memory, as a line tells it. Copied by assignment. */
typedef struct MnEvent {
    gint64 time_us; /* CLOCK_MONOTONIC, of the sample that showed it */
    guint64 value_pages;
    guint64 limit_pages;
    guint8 meter; /* MnMeterId */
    guint8 word;  /* MnEventWord */
} MnEvent;

/* That a limit has been crossed, as `reading` of that time shows it. */
MnEvent mn_event_of_edge(const MnEdge *edge, gboolean is_reached, const MnReading *reading, gint64 time_us);

/* That the group whose memory is shown was removed, or is there again. */
MnEvent mn_event_of_presence(gboolean is_gone, gint64 time_us);

/* That there is more memory than `pages_before`, or less. */
MnEvent mn_event_of_total(const MnReading *reading, guint64 pages_before, gint64 time_us);

/* That the group is about to be killed in which the reader is. */
MnEvent mn_event_of_last_call(gint64 time_us);

/* Prints it as a line with a newline and a NUL, and returns its length. `name` is that of the threshold, empty for none:
 *
 *   12.345678 low used reached 4945700 4945632
 *   12.345678 - total changed 6171021 6170997
 *   12.345678 - - lost 17
 *   12.345678 - - removed
 *   12.345678 - - last_call */
gsize mn_event_print(const MnEvent *self, const char *name, char line[MEMNOTIFYFS_EVENT_LINE_MAX]);
