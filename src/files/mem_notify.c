/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mem_notify, the device of 2008, version 6.
 *
 * When devices/mem_notify says so the few that have waited longest are woken. A poll that reports POLLIN consumes it:
 * this open file then reports nothing for a time that grows with the number of open files. Relief is not reported.
 *
 * An open file waits from its last poll on, also when that poll has timed out or has reported
 * something: FUSE does not tell the end of waiting. So a wake-up may go to one that has gone, as in
 * the original it may go to one that has nothing reported to it. The waiting stand in a queue, those
 * who are woken leave it, and come back at its end when they poll again; at their old place when the
 * pressure was over before they did. */
#include "board/board.h"
#include "devices/mem_notify.h"
#include "files/files.h"
#include "files/signal.h"

#include <poll.h>

/* The node's data. */
typedef struct MemNotifyFile {
    MnMemNotify *device;
    MnBoard *board;
    guint watchers;
    GQueue waiting; /* of MemNotify, by place */
    guint64 n_places;
    MnSignals signals;
} MemNotifyFile;

typedef struct MemNotify {
    MnOpen open;
    GList link; /* in `waiting` */
    gboolean is_waiting;
    guint64 place;      /* where it waits, or has waited last */
    gboolean was_woken; /* and has not asked since */
    gboolean has_reported;
    gint64 reported_us;
    MnZone reason; /* of the last POLLIN, until it is read */
    gboolean has_reason;
    MnSignal signal;
} MemNotify;

static MemNotifyFile *file_of(MnOpen *open) {
    return open->node->data;
}

static void stop_waiting(MemNotify *self) {
    if (self->is_waiting)
        g_queue_unlink(&file_of(&self->open)->waiting, &self->link);
    self->is_waiting = FALSE;
}

/* Who was woken in vain is before nearly all the others. */
static void start_waiting(MemNotify *self, gboolean keeps_place) {
    MemNotifyFile *file = file_of(&self->open);
    GList *after;

    stop_waiting(self);
    if (!keeps_place)
        self->place = file->n_places++;
    after = keeps_place ? file->waiting.head : NULL;
    while (after && ((const MemNotify *)after->data)->place < self->place)
        after = after->next;
    self->is_waiting = TRUE;
    g_queue_insert_before_link(&file->waiting, after, &self->link);
}

static void on_notify(gpointer data) {
    MemNotifyFile *file = data;
    MnHerdShare share = mn_herd_share(file->watchers, mn_signals_count(&file->signals));

    for (; share.wakes > 0 && file->waiting.head; share.wakes--) {
        MemNotify *self = file->waiting.head->data;

        stop_waiting(self);
        self->was_woken = TRUE;
        mn_open_wake(&self->open);
    }
    mn_signals_send(&file->signals, share.signals);
}

static int mem_notify_open(MnOpen *open) {
    MemNotifyFile *file = file_of(open);

    ((MemNotify *)open)->link.data = open;
    if (file->watchers++ == 0)
        mn_mem_notify_start(file->device);
    return 0;
}

static void mem_notify_release(MnOpen *open) {
    MemNotifyFile *file = file_of(open);
    MemNotify *self = (MemNotify *)open;

    stop_waiting(self);
    mn_signal_drop(&self->signal);
    if (--file->watchers == 0)
        mn_mem_notify_stop(file->device);
}

/* Why there is pressure now or, when there is none any more, why the last poll has said so:
 * "pressure node=0 zone=Normal free=9000 threshold=9200\n"; or "ok\n". */
static int mem_notify_read(MnOpen *open, GString *text) {
    MemNotifyFile *file = file_of(open);
    MemNotify *self = (MemNotify *)open;
    const MnZone *zone;

    mn_board_read(file->board);
    zone = mn_mem_notify_get_pressed(file->device);
    if (!zone && self->has_reason)
        zone = &self->reason;
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
    const MnZone *pressed = mn_mem_notify_get_pressed(file->device);
    gint64 now_us = mn_board_now_us(file->board);
    gboolean is_silent = self->has_reported && now_us < self->reported_us + mn_herd_guard_us(file->watchers);

    if (open->poll_handle) {
        start_waiting(self, self->was_woken && !is_silent && !pressed);
        self->was_woken = FALSE;
    }
    if (is_silent || !pressed)
        return 0;
    self->has_reported = TRUE;
    self->reported_us = now_us;
    self->has_reason = TRUE;
    self->reason = *pressed;
    return POLLIN;
}

static const MnFileOps mem_notify_ops = {
    .open_bytes = sizeof(MemNotify),
    .is_rereadable = TRUE,
    .open = mem_notify_open,
    .release = mem_notify_release,
    .read = mem_notify_read,
    .write = mem_notify_write,
    .writes_late = TRUE,
    .poll = mem_notify_poll,
    .free_data = g_free,
};

void mn_mem_notify_add(MnTree *tree, MnMemNotify *device, MnBoard *board, MnHelper *helper, MnHelper *messenger) {
    MemNotifyFile *file = g_new0(MemNotifyFile, 1);

    *file =
        (MemNotifyFile){ .device = device, .board = board, .signals = { .helper = helper, .messenger = messenger } };
    mn_tree_add_file(tree, mn_tree_get_root(tree), MEMNOTIFYFS_MEM_NOTIFY, 0666, &mem_notify_ops, file);
    mn_mem_notify_set_notify(device, on_notify, file);
}
