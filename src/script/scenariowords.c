/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenariowords.h"

#include "core/duration.h"
#include "core/number.h"
#include "script/scenariomachine.h"

#include <string.h>

#define PAGES_MOST (G_GUINT64_CONSTANT(1) << 32) /* 16 TiB */
#define DURATION_BYTES 32

/* The next word, which stays where it is. */
MnScenarioWord mn_scenario_word_peek(const MnCursor *cursor) {
    const char *at = cursor->at;

    while (at < cursor->end && (g_ascii_islower(*at) || *at == '_'))
        at++;
    return (MnScenarioWord){ cursor->at, (gsize)(at - cursor->at) };
}

gboolean mn_scenario_word_is(const MnScenarioWord *word, const char *text) {
    return strlen(text) == word->len && memcmp(word->start, text, word->len) == 0;
}

void mn_scenario_word_take(MnCursor *cursor, const MnScenarioWord *word) {
    cursor->at = word->start + word->len;
    mn_cursor_skip_separators(cursor);
}

/* Takes the word if it is this one. */
gboolean mn_scenario_word_take_if(MnCursor *cursor, const char *text) {
    MnScenarioWord word = mn_scenario_word_peek(cursor);

    if (!mn_scenario_word_is(&word, text))
        return FALSE;
    mn_scenario_word_take(cursor, &word);
    return TRUE;
}

/* --- values --- */

int mn_scenario_take_amount(MnCursor *cursor, MnAmount *ret) {
    int r;

    if (!g_ascii_isdigit(mn_cursor_peek(cursor)))
        return mn_cursor_refuse_at(cursor, cursor->at, "how much? A size such as 2G, or a share such as 40%");
    r = mn_amount_parse(cursor, MN_SCENARIO_PAGE_BYTES, ret);
    if (r == 0)
        mn_cursor_skip_separators(cursor);
    return r;
}

int mn_scenario_take_size(MnCursor *cursor, guint64 least, guint64 *ret_pages) {
    const char *at = cursor->at;
    MnAmount amount;
    int r;

    r = mn_scenario_take_amount(cursor, &amount);
    if (r < 0)
        return r;
    if (amount.micropercent > 0)
        return mn_cursor_refuse_at(cursor, at, "a size is needed here, not a share");
    if (amount.pages < least || amount.pages > PAGES_MOST)
        return mn_cursor_refuse_at(cursor, at, "this is too little, or more than 16 TiB");
    *ret_pages = amount.pages;
    return 0;
}

int mn_scenario_take_duration(MnCursor *cursor, gint64 *ret_us) {
    const char *start = cursor->at;
    char text[DURATION_BYTES];

    while (g_ascii_isalnum(mn_cursor_peek(cursor)) || mn_cursor_peek(cursor) == '.')
        cursor->at++;
    if ((gsize)(cursor->at - start) >= sizeof text)
        return mn_cursor_refuse_at(cursor, start, "this is no time");
    memcpy(text, start, (gsize)(cursor->at - start));
    text[cursor->at - start] = '\0';
    if (!mn_cursor_is_at_boundary(cursor) || !mn_duration_parse(text, ret_us))
        return mn_cursor_refuse_at(cursor, start, "how long? Seconds, or a number with ms, s, m, h or d");
    mn_cursor_skip_separators(cursor);
    return 0;
}

int mn_scenario_take_number(MnCursor *cursor, guint64 most, guint64 *ret) {
    const char *start = cursor->at;

    if (mn_number_parse(&cursor->at, cursor->end, ret) < 0 || *ret > most || !mn_cursor_is_at_boundary(cursor))
        return mn_cursor_refuse_at(cursor, start, "a number is needed here, and none so large");
    mn_cursor_skip_separators(cursor);
    return 0;
}

int mn_scenario_take_brace(MnCursor *cursor, char brace, const char *reason) {
    if (mn_cursor_peek(cursor) != brace)
        return mn_cursor_refuse(cursor, reason);
    cursor->at++;
    mn_cursor_skip_separators(cursor);
    return 0;
}

char *mn_scenario_describe(const char *path, const char *text, gsize at, const char *reason) {
    guint line = 1;
    gsize start = 0;

    for (gsize i = 0; i < at; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    return g_strdup_printf("%s:%u:%u: %s", path, line, (guint)(g_utf8_strlen(text + start, (gssize)(at - start)) + 1),
                           reason);
}
