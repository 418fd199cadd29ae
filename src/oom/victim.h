/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/target.h"

#define MN_NO_PLACE G_MAXUINT
#define MN_SCORE_UNKNOWN (-1)

/* A process that is listed, by however many. */
typedef struct MnVictim {
    MnTarget target;
    struct MnEnds *ends; /* where its end is watched for; NULL: nowhere */
    gboolean has_ended;  /* and is to leave all lists */
    guint place;         /* among all that are listed; MN_NO_PLACE when nobody lists it */
    MnWriter writer;     /* who has listed it there */

    int place_score; /* that it was given for its place; MN_SCORE_UNKNOWN after it was listed, by anybody */
    gboolean is_adjusted;
    int old_score;
    int set_score;

    gint64 terminated_us; /* for the killer: when it was sent SIGTERM; 0 for never */
    gint64 killed_us;     /* and SIGKILL */
} MnVictim;
