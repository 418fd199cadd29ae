/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mem_notify, the device of 2008, version 6.
 *
 * When the kernel has begun to reclaim anonymous memory (core/reclaim says how that is seen) and a
 * zone is short of free pages, the few that have waited longest are woken, and others every 200 ms
 * for as long as that lasts. A poll that reports POLLIN consumes it: this open file then reports
 * nothing for a time that grows with the number of open files. Relief is not reported.
 *
 * An open file waits from its last poll on, also when that poll has timed out or has reported
 * something: FUSE does not tell the end of waiting. So a wake-up may go to one that has gone, as in
 * the original it may go to one that has nothing reported to it. The waiting stand in a queue, those
 * who are woken leave it, and come back at its end when they poll again. */
#include "core/herd.h"
#include "core/reclaim.h"
#include "files/files.h"
#include "files/signal.h"

#include <poll.h>

/* The node's data. */
typedef struct MemNotifyFile {
    MnObserver observer; /* while somebody has it open */
    MnFilesContext *context;
    MnReclaim reclaim;
    MnZone pressed; /* the first zone under pressure, if any is */
    guint watchers;
    GQueue waiting; /* of MemNotify */
    MnSignals signals;
} MemNotifyFile;

typedef struct MemNotify {
    MnOpen open;
    GList link; /* in `waiting` */
    gboolean is_waiting;
    gboolean has_reported;
    gint64 reported_us;
    MnZone reason; /* of the last POLLIN, until it is read */
    gboolean has_reason;
    MnSignal signal;
} MemNotify;

static MemNotifyFile *file_of(MnOpen *open) {
    return open->node->data;
}

static MnHerd *herd_of(MemNotifyFile *file) {
    return &file->context->herd;
}

static void stop_waiting(MemNotify *self) {
    if (self->is_waiting)
        g_queue_unlink(&file_of(&self->open)->waiting, &self->link);
    self->is_waiting = FALSE;
}

static void wait_at_end(MemNotify *self) {
    stop_waiting(self);
    self->is_waiting = TRUE;
    g_queue_push_tail_link(&file_of(&self->open)->waiting, &self->link);
}

static void notify(MemNotifyFile *file) {
    MnHerdShare share = mn_herd_share(file->watchers, mn_signals_count(&file->signals));

    for (; share.wakes > 0 && file->waiting.head; share.wakes--) {
        MemNotify *self = file->waiting.head->data;

        stop_waiting(self);
        mn_open_wake(&self->open);
    }
    mn_signals_send(&file->signals, share.signals);
}

static void find_pressed(MemNotifyFile *file, const MnZones *zones) {
    for (guint i = 0; i < zones->n; i++)
        if (mn_herd_get_status(herd_of(file), &zones->zones[i]) == 1) {
            file->pressed = zones->zones[i];
            return;
        }
}

static void on_told(MnObserver *observer, const MnMoment *moment) {
    MemNotifyFile *file = (MemNotifyFile *)observer;
    MnHerd *herd = herd_of(file);

    mn_reclaim_advance(&file->reclaim, moment->sample);
    if (mn_herd_advance(herd, moment->zones, file->reclaim.takes_anonymous, moment->time_us))
        notify(file);

    find_pressed(file, moment->zones);
    mn_observer_set_pace(observer, moment, MN_WATERMARK_LOW, file->reclaim.is_on);
    if (herd->n_pressed > 0) { /* no use before the next notification may come */
        observer->distance_pages = 0;
        observer->shortest_ms = MN_HERD_INTERVAL_US / G_TIME_SPAN_MILLISECOND;
    }
}

static int mem_notify_open(MnOpen *open) {
    MemNotifyFile *file = file_of(open);

    ((MemNotify *)open)->link.data = open;
    if (file->watchers++ == 0) {
        file->reclaim = (MnReclaim){ 0 };
        mn_sampler_observe(file->context->sampler, &file->observer);
    }
    return 0;
}

static void mem_notify_release(MnOpen *open) {
    MemNotifyFile *file = file_of(open);
    MemNotify *self = (MemNotify *)open;

    stop_waiting(self);
    mn_signal_drop(&self->signal);
    if (--file->watchers == 0) {
        mn_sampler_unobserve(file->context->sampler, &file->observer);
        mn_herd_reset(herd_of(file));
    }
}

/* Why there is pressure now or, when there is none any more, why the last poll has said so:
 * "pressure node=0 zone=Normal free=9000 threshold=9200\n"; or "ok\n". */
static int mem_notify_read(MnOpen *open, GString *text) {
    MemNotifyFile *file = file_of(open);
    MemNotify *self = (MemNotify *)open;
    const MnZone *zone;

    mn_sampler_read(file->context->sampler);
    zone = herd_of(file)->n_pressed > 0 ? &file->pressed : self->has_reason ? &self->reason : NULL;
    self->has_reason = FALSE;
    if (!zone)
        g_string_append(text, "ok\n");
    else
        g_string_append_printf(text,
                               "pressure node=%u zone=%s free=%" G_GUINT64_FORMAT " threshold=%" G_GUINT64_FORMAT "\n",
                               zone->node, zone->name, zone->free, mn_herd_threshold(zone));
    return 0;
}

static int mem_notify_write(MnOpen *open, const MnWrite *write) {
    return mn_signal_write(&file_of(open)->signals, &((MemNotify *)open)->signal, open, write);
}

static guint mem_notify_poll(MnOpen *open) {
    MemNotifyFile *file = file_of(open);
    MemNotify *self = (MemNotify *)open;
    gint64 now_us = g_get_monotonic_time();

    if (open->poll_handle)
        wait_at_end(self);

    if (self->has_reported && now_us < self->reported_us + mn_herd_guard_us(file->watchers))
        return 0;
    if (herd_of(file)->n_pressed == 0)
        return 0;
    self->has_reported = TRUE;
    self->reported_us = now_us;
    self->has_reason = TRUE;
    self->reason = file->pressed;
    return POLLIN;
}

static void mem_notify_free_data(gpointer data) {
    MemNotifyFile *file = data;

    mn_herd_clear(herd_of(file));
    g_free(file);
}

static const MnFileOps mem_notify_ops = {
    .open_bytes = sizeof(MemNotify),
    .is_rereadable = TRUE,
    .open = mem_notify_open,
    .release = mem_notify_release,
    .read = mem_notify_read,
    .write = mem_notify_write,
    .poll = mem_notify_poll,
    .free_data = mem_notify_free_data,
};

void mn_mem_notify_add(MnTree *tree, MnFilesContext *context) {
    MemNotifyFile *file = g_new0(MemNotifyFile, 1);

    file->observer.sources = MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO | MN_SOURCE_ZONEINFO;
    file->observer.counters = MN_RECLAIM_COUNTERS;
    file->observer.told = on_told;
    file->context = context;
    file->signals.helper = context->helper;
    file->signals.messenger = context->messenger;
    mn_tree_add_file(tree, mn_tree_get_root(tree), "mem_notify", 0666, &mem_notify_ops, file);
}
