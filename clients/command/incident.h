/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "growers.h"
#include "series.h"

#include "core/event.h"
#include "core/stall.h"
#include "script/script.h"

/* What there is at each moment: the meters by their MnMeterId, and */
enum {
    CMD_VALUE_LIMITS = MN_N_METERS,                    /* + MnMeterId: where its limit lies, in pages */
    CMD_VALUE_STALLS = CMD_VALUE_LIMITS + MN_N_METERS, /* + MnStallKind: hundredths of a per cent of the time */
    CMD_N_VALUES = CMD_VALUE_STALLS + MN_N_STALLS
};

/* Stalls are counted over so long at least: the kernel brings the totals up to date twice in it. */
#define CMD_INCIDENT_STALL_US G_USEC_PER_SEC

/* So many processes are followed at most. */
#define CMD_INCIDENT_GROWERS 6

/* A line of what happened. */
typedef struct CmdHappening {
    MnEvent event; /* with its time alone where processes were killed */
    guint64 oom_kills;
    gint64 date_us; /* 0: there is none */
} CmdHappening;

/* What a script tells of the memory of the machine, or of that of its group. */
typedef struct CmdIncident {
    gboolean is_of_group;
    guint page_bytes;
    guint offered; /* MN_METER_BIT()s */
    gboolean has_stalls;
    MnLimitSet limits;
    CmdSeries series; /* of CMD_N_VALUES; the lowest `available` stands for a column */
    GArray *happenings;
    gint64 first_date_us, last_date_us, duration_us;
    MnReading first, last;
    gint64 lowest_us,
        worst_stall_us; /* when `available` was lowest first, and when an interval of the worst stall ended */
    guint64 lowest_pages, lowest_of_pages; /* of so much memory, without swap, at that time */
    guint64 worst_stall_hundredths;
    guint64 n_reached, n_left, n_oom_kills;
    char *fault; /* how it ends, see mn_script_get_fault() */

    /* Of the machine's alone. */
    CmdGrowers *growers;
    GPtrArray *ranked;   /* of CmdGrower */
    CmdSeries processes; /* of those, in bytes */
} CmdIncident;

/* Goes through it from beginning to end. `limits` as in cmd_playback_watch(). CMD_OK, and *ret is to be cleared; else it was
 * said why not. */
int cmd_incident_read(CmdIncident *ret, const char *path, gboolean is_of_machine, const char *limits);
void cmd_incident_clear(CmdIncident *self);
