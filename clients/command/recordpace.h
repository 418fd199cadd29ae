/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "probe/transcript.h"

/* How often a recorder looks whether memory has moved, and how near to each other it records when it has: microseconds. */
#define CMD_RECORD_GLANCE_US 50000
#define CMD_RECORD_APART_US 100000

/* When what the kernel says is to be recorded. All zero but for every_us: nothing was as yet. */
typedef struct CmdRecordPace {
    gint64 every_us; /* also when nothing moves */
    gint64 last_us;  /* 0: never */
    MnGlance last;
    gint64 paid_us; /* up to when what came early has had its share of the room */
} CmdRecordPace;

/* Whether it is now: the time has come, or there is more or less memory by a part of all, a 200th, than when it was last. On
 * average there is one such moment in four seconds, 25 at once, while there is no shortage: a recording is to be small where
 * memory moves all day. */
gboolean cmd_record_pace_is_due(const CmdRecordPace *self, gint64 now_us, const MnGlance *glance);
void cmd_record_pace_note(CmdRecordPace *self, gint64 now_us, const MnGlance *glance);

/* For how long there is nothing to do: until it is due, or to be looked at again. */
gint64 cmd_record_pace_wait_us(const CmdRecordPace *self, gint64 now_us);

/* Whether so little is left that what is recorded should not be kept back: a tenth. */
gboolean cmd_glance_is_short(const MnGlance *glance);

/* By how much the date was set since it was asked for last, in microseconds: what it has gained beside the uptime, if that
 * is half a second or more; else 0. Accepts 0, 0 before the first. */
typedef struct CmdDateWatch {
    gint64 uptime_us; /* of CLOCK_BOOTTIME, which goes on while the machine sleeps */
    gint64 date_us;
} CmdDateWatch;

gint64 cmd_date_watch_step(CmdDateWatch *self, gint64 uptime_us, gint64 date_us);
