/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What is to be played in the place of the machine's texts, and how. */
typedef struct MnReplayOption {
    char *path; /* absolute; NULL for nothing */
    double speed;
    gboolean starts_now; /* and not with the first client that waits */
    gboolean has_words;  /* `speed` or `start` was given */
} MnReplayOption;

void mn_replay_option_init(MnReplayOption *self);
void mn_replay_option_clear(MnReplayOption *self);

/* Takes "FILE[,speed=N][,start=now]". FALSE, with what is wrong in *ret_reason. */
gboolean mn_replay_option_take(MnReplayOption *self, const char *value, const char **ret_reason);

/* Takes one of these words alone: "speed=N", N being a positive number or "max", or "start=now" or "start=client". */
gboolean mn_replay_option_take_word(MnReplayOption *self, const char *word, const char **ret_reason);
