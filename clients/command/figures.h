/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/limit.h"
#include "core/stall.h"

#include <memnotifyfs/contract.h>

/* A limit of a named threshold. */
typedef struct CmdNamedLimit {
    char threshold[MEMNOTIFYFS_NAME_MAX + 1];
    MnMeterId meter;
    MnOp op;
    guint64 limit_pages;
    gboolean is_reached;
    guint64 crossings;
} CmdNamedLimit;

/* What is known of memory at one moment. */
typedef struct CmdFigures {
    guint offered; /* MN_METER_BIT()s of the meters that have a value */
    MnReading reading;
    gboolean is_of_group;  /* it is the memory of a control group, and not the machine's */
    gboolean is_gone;      /* that group is removed: there are no values */
    gboolean is_simulated; /* some values are chosen, and we are who may know that */
    gboolean has_stalls;
    MnStalls stalls;
    GArray *limits; /* of CmdNamedLimit; NULL where thresholds are not told */
    guint64 n_limits_left_out;
} CmdFigures;

void cmd_figures_clear(CmdFigures *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CmdFigures, cmd_figures_clear)

/* Reads the text of the file `metrics` of a mount: all but stalls, which are not in it. What is not known is skipped.
 * -EBADMSG, with nothing written: it does not end as it should, or has no total. The result is to be cleared. */
int cmd_figures_parse(const char *text, gsize len, guint page_bytes, CmdFigures *ret) G_GNUC_WARN_UNUSED_RESULT;

/* What the meter is a part of, in pages: memory, swap or both. */
guint64 cmd_figures_get_whole(const CmdFigures *self, MnMeterId meter);

/* How full memory is: `meter` as a share of what it is a part of, from 0 to 1. 0 where there is none of that. */
double cmd_figures_share(const CmdFigures *self, MnMeterId meter);
