/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/fault.h"
#include "core/meter.h"

typedef enum MnOp {
    MN_OP_AT_LEAST, /* ">=", reached when the meter is at or above the limit */
    MN_OP_BELOW,    /* "<", reached when the meter is below the limit */
} MnOp;

typedef struct MnLimit {
    guint8 meter;         /* MnMeterId */
    guint8 op;            /* MnOp */
    guint8 is_exact;      /* without hysteresis; all limits of a meter agree on this */
    guint32 micropercent; /* millionths of a per cent of the meter total; 0 when `pages` says it */
    guint64 pages;        /* beside a share what is added to it: 1 where the text had ">" or "<=" */
} MnLimit;

/* At most one limit a meter. */
typedef struct MnLimitSet {
    guint named; /* MN_METER_BIT()s of all that the text names, also with 0 */
    guint n;
    MnLimit limits[MN_N_METERS];
} MnLimitSet;

extern const char *const mn_op_names[]; /* indexed by MnOp */

/* Parses a set of limits: "used 80% active 5000", "free<512M", "used=5000,active:8000".
 *
 *   set    = { NAME [ ">=" | ">" | "<" | "<=" ] NUMBER [ UNIT ] | NAME SHOWN }
 *   UNIT   = "K" | "M" | "G" | "T" | "KiB" | "MiB" | "GiB" | "TiB" | "kB" | "MB" | "GB" | "TB" | "%"
 *   SHOWN  = "value=" N "op=" ( ">=" | "<" ) "limit=" NUMBER "reached=" N "crossings=" N
 *   joined by blanks, newlines, "=", ":" or ","; from "#" to the end of the line is a comment; one final NUL is ignored
 *
 * A number is pages, or bytes with a suffix (rounded up to pages), or per cent of total; see core/amount. ">" N is ">="
 * one page more, and "<=" N is "<" one page more. 0 with ">=", "<" or neither means not tracked and does not appear in
 * *ret; an empty text is an empty set. SHOWN is what thresholds/NAME shows.
 *
 * -EINVAL, with *ret untouched: a name that is no meter of this machine, a name twice, a name
 * without number, a number that is negative or does not fit, more than 100 %, more than
 * MEMNOTIFYFS_LIMITS_MAX bytes, or anything else. Then `fault`, which may be NULL, says what is wrong. */
int mn_limit_set_parse(const char *text, gsize len, const MnMachine *machine, MnFault *fault, MnLimitSet *ret)
    G_GNUC_WARN_UNUSED_RESULT;

/* Parses the limit of one meter whose name is known: ">= 80%", "<512M", "5000". */
int mn_limit_set_parse_one(const char *text, gsize len, const MnMachine *machine, MnMeterId meter, MnFault *fault,
                           MnLimitSet *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Whether both have the same limits in the same order. */
gboolean mn_limit_set_is_same(const MnLimitSet *one, const MnLimitSet *other);

/* Where the limit lies, in pages, when total is `total_pages`; at least 1. */
guint64 mn_limit_pages(const MnLimit *limit, guint64 total_pages);
