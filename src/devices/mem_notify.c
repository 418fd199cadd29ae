/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the kernel has begun to reclaim anonymous memory (core/reclaim says how that is seen) and a zone is short of
 * free pages, those who wait are to be told, again and again for as long as that lasts (core/herd says how often).
 * Relief is not told. */
#include "mem_notify.h"

#include "core/reclaim.h"

struct MnMemNotify {
    MnSubscriber subscriber; /* of the board's, while somebody has it open */
    MnBoard *board;
    MnHerd herd;
    MnReclaim reclaim;
    MnZone pressed; /* the first zone under pressure, if any is */
    void (*notify)(gpointer data);
    gpointer notify_data;
};

static void find_pressed(MnMemNotify *self, const MnZones *zones) {
    for (guint i = 0; i < zones->n; i++)
        if (mn_herd_get_status(&self->herd, &zones->zones[i]) == 1) {
            self->pressed = zones->zones[i];
            return;
        }
}

static void on_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnMemNotify *self = (MnMemNotify *)subscriber;

    mn_reclaim_advance(&self->reclaim, moment->sample);
    if (mn_herd_advance(&self->herd, moment->zones, self->reclaim.takes_anonymous, moment->time_us))
        self->notify(self->notify_data);

    find_pressed(self, moment->zones);
    mn_subscriber_set_pace(subscriber, moment, MN_WATERMARK_LOW, self->reclaim.is_on);
    if (self->herd.n_pressed > 0) { /* no use before the next notification may come */
        subscriber->distance_pages = 0;
        subscriber->shortest_ms = MN_HERD_INTERVAL_US / G_TIME_SPAN_MILLISECOND;
    }
}

static void notify_nobody(gpointer data G_GNUC_UNUSED) {
}

MnMemNotify *mn_mem_notify_new(MnBoard *board) {
    MnMemNotify *self = g_new0(MnMemNotify, 1);

    self->board = board;
    self->subscriber.needs = (MnNeeds){ .machine = MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO | MN_SOURCE_ZONEINFO,
                                        .counters = MN_RECLAIM_COUNTERS };
    self->subscriber.told = on_told;
    self->notify = notify_nobody;
    return self;
}

void mn_mem_notify_free(MnMemNotify *self) {
    if (!self)
        return;
    mn_herd_clear(&self->herd);
    g_free(self);
}

void mn_mem_notify_set_notify(MnMemNotify *self, void (*notify)(gpointer data), gpointer data) {
    self->notify = notify;
    self->notify_data = data;
}

void mn_mem_notify_start(MnMemNotify *self) {
    self->reclaim = (MnReclaim){ 0 };
    mn_board_subscribe(self->board, &self->subscriber);
}

void mn_mem_notify_stop(MnMemNotify *self) {
    mn_board_unsubscribe(self->board, &self->subscriber);
    mn_herd_reset(&self->herd);
}

const MnZone *mn_mem_notify_get_pressed(const MnMemNotify *self) {
    return self->herd.n_pressed > 0 ? &self->pressed : NULL;
}

int mn_mem_notify_get_status(const MnMemNotify *self, const MnZone *zone) {
    return mn_herd_get_status(&self->herd, zone);
}
