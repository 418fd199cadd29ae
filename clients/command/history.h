/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/meter.h"

/* As many as a screen of that many columns shows. */
#define CMD_HISTORY_MAX 1024

/* What the meters have shown at one moment, and until when that stands in for what was not looked at. */
typedef struct CmdPast {
    gint64 time_us;
    gint64 until_us;
    guint offered; /* MN_METER_BIT()s */
    guint64 pages[MN_N_METERS];
} CmdPast;

/* The latest readings. */
typedef struct CmdHistory {
    CmdPast *ring;
    guint n;
    guint next;
} CmdHistory;

/* One column of a graph: what a meter has shown in a stretch of time. */
typedef struct CmdStretch {
    gboolean is_known;
    guint64 lowest;
    guint64 highest;
} CmdStretch;

void cmd_history_init(CmdHistory *self);
void cmd_history_clear(CmdHistory *self);

/* Times must not go back. The oldest reading makes room for it. */
void cmd_history_add(CmdHistory *self, gint64 time_us, gint64 until_us, guint offered, const MnReading *reading);

/* Writes `n` stretches of stretch_us each, the first of which is that around now_us, and the others go back in time. */
void cmd_history_get(const CmdHistory *self, MnMeterId meter, gint64 now_us, gint64 stretch_us, guint n,
                     CmdStretch *ret);
