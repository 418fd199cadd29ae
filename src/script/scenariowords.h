/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/amount.h"

/* What the parser of scenarios reads a text by. What was taken is behind the cursor, with the separators that follow. Errors are
 * -EINVAL, and the fault of the cursor says why. */

typedef struct MnScenarioWord {
    const char *start;
    gsize len;
} MnScenarioWord;

/* The next word, which stays where it is; of no length where there is something else. */
MnScenarioWord mn_scenario_word_peek(const MnCursor *cursor);
gboolean mn_scenario_word_is(const MnScenarioWord *word, const char *text);
void mn_scenario_word_take(MnCursor *cursor, const MnScenarioWord *word);

/* Takes the next word if it is this one. */
gboolean mn_scenario_word_take_if(MnCursor *cursor, const char *text);

/* How much: a size or a share. */
int mn_scenario_take_amount(MnCursor *cursor, MnAmount *ret) G_GNUC_WARN_UNUSED_RESULT;

/* A size of at least so many pages. */
int mn_scenario_take_size(MnCursor *cursor, guint64 least, guint64 *ret_pages) G_GNUC_WARN_UNUSED_RESULT;
int mn_scenario_take_duration(MnCursor *cursor, gint64 *ret_us) G_GNUC_WARN_UNUSED_RESULT;
int mn_scenario_take_number(MnCursor *cursor, guint64 most, guint64 *ret) G_GNUC_WARN_UNUSED_RESULT;
int mn_scenario_take_brace(MnCursor *cursor, char brace, const char *reason) G_GNUC_WARN_UNUSED_RESULT;

/* "FILE:LINE:COLUMN: REASON" of a place in a text, to be freed. */
char *mn_scenario_describe(const char *path, const char *text, gsize at, const char *reason);
