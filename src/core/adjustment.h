/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define MN_BOOT_ID_CHARS 36

/* The oom_score_adj that the first of a list gets, the kernel's highest. Each that follows gets one
 * less, down to 1; those behind the first thousand are left alone. */
#define MN_SCORE_MAX 1000

/* The score for the place in the list, counted from 0; 0 for those that are left alone. */
int mn_score_for(guint place);

/* A process whose oom_score_adj has been changed, and how to find out that it still is. */
typedef struct MnAdjustment {
    pid_t pid;
    guint64 start_ticks; /* since boot: tells it from a later process of the same pid */
    int old_score;
    int set_score;
} MnAdjustment;

/* Who has changed them. */
typedef struct MnAdjuster {
    char boot_id[MN_BOOT_ID_CHARS + 1];
    pid_t pid;
    guint64 start_ticks;
} MnAdjuster;

/* The text that a later start needs to put them back: a line for the adjuster, then one for each.
 *
 *   6c9f1f3e-4a8f-4b7e-9a55-0f4e1d2c3b4a 812 51234
 *   4711 6421 0 1000
 *   4712 6425 200 999 */
void mn_adjuster_render(const MnAdjuster *adjuster, GString *text);
void mn_adjustment_render(const MnAdjustment *adjustment, GString *text);

/* *ret_adjustments is a new array of MnAdjustment. -EBADMSG, with nothing written, for a text that
 * is cut or of another kind. */
int mn_adjustments_parse(const char *text, gsize len, MnAdjuster *ret_adjuster, GArray **ret_adjustments)
    G_GNUC_WARN_UNUSED_RESULT;
