/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/doorbell.h"
#include "board/subscriber.h"
#include "loop/alarm.h"
#include "loop/outbox.h"

/* When the next moment is to be made: at the pace that the subscribers want, or when the doorbell rings; in a replay when
 * its next moment has come. Without subscribers it does nothing. Part of the board. */
typedef struct MnSchedule {
    const MnClock *clock;
    MnAlarm *alarm;
    MnReplay *replay; /* NULL: the pace is ours to choose, else that of what is played */
    MnDoorbell doorbell;
    MnOutbox *outbox;
    MnNotice notice; /* that the period is to be chosen */
    const MnSubscribers *subscribers;
    const MnParameters *parameters;
    const MnFill *fill;
    guint page_bytes;

    gint64 last_us;     /* the last moment was made */
    guint64 period_ms;  /* from then on; 0: none was chosen yet */
    MnReading baseline; /* the reading at the last change that counted */
    gboolean has_moved; /* some meter has, away from the baseline, since the last choice */
    gboolean has_rung;  /* the alarm has, since it was set */
    gboolean is_far;    /* the timer slack is that of a far alarm */

    void (*due)(gpointer data);
    gpointer data;
} MnSchedule;

/* due() is called when a moment is to be made. What is pointed to outlives the schedule. */
void mn_schedule_init(MnSchedule *self, const MnClock *clock, MnOutbox *outbox, MnProbe *probe, void (*due)(gpointer),
                      gpointer data);
void mn_schedule_clear(MnSchedule *self);

/* There is somebody who waits, so that the period begins anew, and a replay begins; or nobody any more. */
void mn_schedule_start(MnSchedule *self, const MnReading *reading);
void mn_schedule_stop(MnSchedule *self);

/* A moment was made, or could not be, at `time_us`; the next is chosen when the turn ends. */
void mn_schedule_note_time(MnSchedule *self, gint64 time_us);

/* A meter that has moved by `space_pages` since the last that did has moved. */
void mn_schedule_note_reading(MnSchedule *self, const MnReading *reading, guint64 space_pages);

/* What the choice depends on has changed. */
void mn_schedule_choose(MnSchedule *self);
