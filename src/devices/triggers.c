/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pressure-stall triggers, followed from moment to moment.
 *
 * Like the kernel we look ten times in a window; unlike it also while nothing stalls, since nobody would tell us that
 * something does: a trigger of our own in the kernel could only be for one threshold and one window, and closing it
 * waits for tens of milliseconds. That is one small text at a time, however many wait. Triggers are gone through only
 * when there was a stall. */
#include "triggers.h"

#define LOOKS_PER_WINDOW 10
#define SHORTEST_PERIOD_MS 10

struct MnTriggers {
    MnSubscriber subscriber; /* of the board's, while there is a trigger */
    MnBoard *board;
    GQueue armed;            /* of MnArmedTrigger */
    MnStalls stalls;         /* at the last look */
    guint stalls_of;         /* the same of MnMoment */
    gint64 looked_us;        /* when that was */
    gboolean has_unfinished; /* a trigger that is not started, or has an event to come */
};

static guint64 period_of(const MnArmedTrigger *armed) {
    return MAX(armed->trigger.window_us / LOOKS_PER_WINDOW / G_TIME_SPAN_MILLISECOND, SHORTEST_PERIOD_MS);
}

static gboolean has_grown(const MnTriggers *self, const MnStalls *stalls) {
    for (guint kind = 0; kind < MN_N_STALLS; kind++)
        if (stalls->lines[kind].total_us != self->stalls.lines[kind].total_us)
            return TRUE;
    return FALSE;
}

static void advance(MnTriggers *self, const MnMoment *moment) {
    self->has_unfinished = FALSE;
    for (const GList *link = self->armed.head; link; link = link->next) {
        MnArmedTrigger *armed = link->data;

        if (mn_trigger_advance(&armed->trigger, self->looked_us, moment->time_us,
                               moment->stalls.lines[armed->trigger.kind].total_us))
            armed->fired(armed);
        self->has_unfinished = self->has_unfinished || armed->trigger.is_pending;
    }
}

static void on_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnTriggers *self = (MnTriggers *)subscriber;

    if (moment->stalls_of != self->stalls_of)
        mn_triggers_begin_anew(self);
    self->stalls_of = moment->stalls_of;
    if (self->has_unfinished || has_grown(self, &moment->stalls))
        advance(self, moment);
    self->stalls = moment->stalls;
    self->looked_us = moment->time_us;
}

void mn_triggers_begin_anew(MnTriggers *self) {
    self->has_unfinished = TRUE;
    for (const GList *link = self->armed.head; link; link = link->next)
        ((MnArmedTrigger *)link->data)->trigger.is_started = FALSE;
}

MnTriggers *mn_triggers_new(MnBoard *board) {
    MnTriggers *self = g_new0(MnTriggers, 1);

    self->board = board;
    self->subscriber.needs.meters = MN_SOURCE_PRESSURE;
    self->subscriber.told = on_told;
    return self;
}

void mn_triggers_free(MnTriggers *self) {
    if (!self)
        return;
    g_assert(self->armed.length == 0);
    g_free(self);
}

void mn_triggers_add(MnTriggers *self, MnArmedTrigger *armed) {
    gboolean is_first = self->armed.length == 0;
    guint64 period_ms = period_of(armed);

    armed->link = (GList){ .data = armed };
    g_queue_push_tail_link(&self->armed, &armed->link);
    self->has_unfinished = TRUE;
    self->subscriber.period_ms = is_first ? period_ms : MIN(self->subscriber.period_ms, period_ms);
    if (is_first) {
        mn_board_subscribe(self->board, &self->subscriber);
        return;
    }
    mn_subscriber_hasten(&self->subscriber);
    mn_board_refresh(self->board);
}

static guint64 shortest_period(const MnTriggers *self) {
    guint64 period_ms = G_MAXUINT64;

    for (const GList *link = self->armed.head; link; link = link->next)
        period_ms = MIN(period_ms, period_of(link->data));
    return period_ms;
}

void mn_triggers_remove(MnTriggers *self, MnArmedTrigger *armed) {
    g_queue_unlink(&self->armed, &armed->link);
    if (self->armed.length == 0)
        mn_board_unsubscribe(self->board, &self->subscriber);
    else if (period_of(armed) == self->subscriber.period_ms)
        self->subscriber.period_ms = shortest_period(self);
}
