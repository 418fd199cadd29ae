/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether memory is short by the kernel's own measure (core/shortage). Unlike in the original those who wait are also
 * told when a zone falls below its watermark, and what was swapped out before anybody had the file open does not
 * count. While the shortage lasts they are told again every second, as the original's timer did. */
#include "oom_notify.h"

#include "core/reclaim.h"

#define TELL_AGAIN_US G_TIME_SPAN_SECOND

struct MnOomNotify {
    MnSubscriber subscriber; /* of the board's, while somebody has it open */
    MnBoard *board;
    MnShortage shortage;
    MnReclaim reclaim;
    gboolean was_short;
    gint64 told_us;
    void (*notify)(gpointer data);
    gpointer notify_data;
};

static void on_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnOomNotify *self = (MnOomNotify *)subscriber;
    gboolean is_short, was_short = self->was_short;

    mn_shortage_advance(&self->shortage, moment->sample, moment->zones, moment->time_us);
    mn_reclaim_advance(&self->reclaim, moment->sample);
    is_short = mn_shortage_holds(&self->shortage, moment->time_us);

    subscriber->is_reached = is_short;
    mn_subscriber_set_pace(subscriber, moment, mn_shortage_watermark(self->shortage.kind), self->reclaim.is_on);
    if (is_short)
        subscriber->distance_pages = G_MAXUINT64;

    self->was_short = is_short;
    if (is_short && (!was_short || moment->time_us - self->told_us >= TELL_AGAIN_US)) {
        self->told_us = moment->time_us;
        self->notify(self->notify_data);
    }
}

static void notify_nobody(gpointer data G_GNUC_UNUSED) {
}

MnOomNotify *mn_oom_notify_new(MnBoard *board, MnShortageKind kind) {
    MnOomNotify *self = g_new0(MnOomNotify, 1);
    guint sources = MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT;

    self->board = board;
    self->subscriber.needs =
        (MnNeeds){ .machine = kind == MN_SHORTAGE_CRITICAL ? sources | MN_SOURCE_PRESSURE : sources,
                   .counters = mn_shortage_counters(kind) | MN_RECLAIM_COUNTERS };
    self->subscriber.told = on_told;
    self->notify = notify_nobody;
    mn_shortage_init(&self->shortage, kind);
    return self;
}

void mn_oom_notify_free(MnOomNotify *self) {
    g_free(self);
}

void mn_oom_notify_set_notify(MnOomNotify *self, void (*notify)(gpointer data), gpointer data) {
    self->notify = notify;
    self->notify_data = data;
}

void mn_oom_notify_start(MnOomNotify *self) {
    mn_shortage_init(&self->shortage, self->shortage.kind);
    self->reclaim = (MnReclaim){ 0 };
    self->was_short = FALSE;
    mn_board_subscribe(self->board, &self->subscriber);
}

void mn_oom_notify_stop(MnOomNotify *self) {
    mn_board_unsubscribe(self->board, &self->subscriber);
}

gboolean mn_oom_notify_look(MnOomNotify *self) {
    mn_board_read(self->board);
    return mn_shortage_holds(&self->shortage, mn_board_now_us(self->board));
}

void mn_oom_notify_describe(const MnOomNotify *self, char line[MN_SHORTAGE_LINE_BYTES]) {
    mn_shortage_describe(&self->shortage, mn_board_now_us(self->board), line);
}
