/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events and their lines, which are those of the file events and of the socket. */
#include "event.h"

#include "core/number.h"

#include <string.h>

static const struct {
    const char *name;
    gboolean is_of_a_meter;
    guint n_numbers;
} words[] = {
    [MN_EVENT_LEFT] = { "left", TRUE, 2 },          [MN_EVENT_REACHED] = { "reached", TRUE, 2 },
    [MN_EVENT_CHANGED] = { "changed", TRUE, 2 },    [MN_EVENT_REMOVED] = { "removed", FALSE, 0 },
    [MN_EVENT_RETURNED] = { "returned", FALSE, 0 }, [MN_EVENT_LAST_CALL] = { "last_call", FALSE, 0 },
    [MN_EVENT_LOST] = { "lost", FALSE, 1 },
};

MnEvent mn_event_of_edge(const MnEdge *edge, gboolean is_reached, const MnReading *reading, gint64 time_us) {
    return (MnEvent){
        .time_us = time_us,
        .value_pages = reading->pages[edge->limit.meter],
        .limit_pages = edge->enter_pages,
        .meter = edge->limit.meter,
        .word = is_reached ? MN_EVENT_REACHED : MN_EVENT_LEFT,
    };
}

MnEvent mn_event_of_presence(gboolean is_gone, gint64 time_us) {
    return (MnEvent){ .time_us = time_us, .word = is_gone ? MN_EVENT_REMOVED : MN_EVENT_RETURNED };
}

MnEvent mn_event_of_total(const MnReading *reading, guint64 pages_before, gint64 time_us) {
    return (MnEvent){
        .time_us = time_us,
        .word = MN_EVENT_CHANGED,
        .meter = MN_METER_TOTAL,
        .value_pages = reading->pages[MN_METER_TOTAL],
        .limit_pages = pages_before,
    };
}

MnEvent mn_event_of_last_call(gint64 time_us) {
    return (MnEvent){ .time_us = time_us, .word = MN_EVENT_LAST_CALL };
}

static char *put_word(char *at, const char *word) {
    *at++ = ' ';
    return stpcpy(at, word);
}

gsize mn_event_print(const MnEvent *self, const char *name, char line[MEMNOTIFYFS_EVENT_LINE_MAX]) {
    const guint64 numbers[] = { self->value_pages, self->limit_pages };
    char *at = line;

    at = mn_number_put(at, (guint64)self->time_us / G_USEC_PER_SEC, 1);
    *at++ = '.';
    at = mn_number_put(at, (guint64)self->time_us % G_USEC_PER_SEC, 6);
    at = put_word(at, *name ? name : "-");
    at = put_word(at, words[self->word].is_of_a_meter ? mn_meters[self->meter].name : "-");
    at = put_word(at, words[self->word].name);
    for (guint i = 0; i < words[self->word].n_numbers; i++) {
        *at++ = ' ';
        at = mn_number_put(at, numbers[i], 1);
    }
    at = stpcpy(at, "\n");
    return (gsize)(at - line);
}
