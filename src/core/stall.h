/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Who waits for memory: some of the tasks that could run, or all of them. */
typedef enum MnStallKind {
    MN_STALL_SOME,
    MN_STALL_FULL,
    MN_N_STALLS
} MnStallKind;

#define MN_STALL_BIT(kind) (1U << (kind))
#define MN_ALL_STALLS (MN_STALL_BIT(MN_N_STALLS) - 1)

extern const char *const mn_stall_names[MN_N_STALLS];

/* Over how many seconds there are averages. */
#define MN_N_STALL_AVERAGES 3
extern const guint mn_stall_average_s[MN_N_STALL_AVERAGES];

/* One line of the kernel's pressure/memory. */
typedef struct MnStall {
    guint64 total_us;                      /* stalled since boot, or since the group was made */
    guint hundredths[MN_N_STALL_AVERAGES]; /* of a per cent of the time, on average */
} MnStall;

/* The two lines, by MnStallKind. Copied by assignment; all zero is a machine that was never short. */
typedef struct MnStalls {
    MnStall lines[MN_N_STALLS];
} MnStalls;

/* Reads the text of /proc/pressure/memory, or of memory.pressure of a group. Unknown keys and lines are skipped; where
 * there is no line "some" it is as "full". -EBADMSG, with nothing written: no final newline (a cut text), no line
 * "full", a line of ours without a total, a number over 64 bits or followed by anything but a blank. */
int mn_stalls_parse(const char *text, gsize len, MnStalls *ret) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the same text. */
void mn_stalls_print(const MnStalls *self, GString *text);
