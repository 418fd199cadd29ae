/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/eventcontrol.h"

/* What a kernel text says about reclaim and the OOM killer; all count up for ever. */
typedef struct MnVmpressureCounters {
    guint64 scanned;   /* pages looked at */
    guint64 reclaimed; /* pages freed of these */
    guint64 ooms;      /* how often there was nothing left to reclaim, or who was killed for it */
} MnVmpressureCounters;

/* Reads the text of vmstat, or of a v2 group's memory.stat (which has no OOMs). Proactive
 * reclaim is left out, as in the kernel's rule. What is not there is 0. */
void mn_vmpressure_parse(const char *text, gsize len, MnVmpressureCounters *ret);

/* The number of the line "KEY N" of a flat text such as memory.events; 0 if there is none. */
guint64 mn_vmpressure_parse_key(const char *text, gsize len, const char *key);

/* How hard reclaim found its pages, judged window by window. */
typedef struct MnVmpressure {
    guint64 scanned; /* at the beginning of the present window */
    guint64 reclaimed;
    guint64 ooms;
} MnVmpressure;

/* Begins to judge with what comes after `now`. */
void mn_vmpressure_init(MnVmpressure *self, const MnVmpressureCounters *now);

/* TRUE when a window has become full: then *ret is how hard it was, and the next begins. A
 * window has at least 512 pages scanned; as in the kernel it has more when nobody looked in
 * between. An OOM ends it too, and is critical. */
gboolean mn_vmpressure_advance(MnVmpressure *self, const MnVmpressureCounters *now, MnPressure *ret);
