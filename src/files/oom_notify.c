/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom_notify, the device of 2007, and oom_notify_critical, which its author had in mind.
 *
 * Ready for reading as long as memory is short, see core/shortage; nothing is consumed. As in the
 * original a poll looks at the zones at that very moment. Unlike there, a sleeper is also woken when
 * a zone falls below its watermark, and what was swapped out before anybody had the file open does
 * not count. While the shortage lasts sleepers are woken again every second, as the original's timer
 * did. */
#include "core/reclaim.h"
#include "core/shortage.h"
#include "files/files.h"
#include "files/signal.h"

#include <poll.h>

#define WAKE_AGAIN_US G_TIME_SPAN_SECOND

/* The node's data. */
typedef struct OomNotifyFile {
    MnObserver observer; /* while somebody has it open */
    MnFilesContext *context;
    MnNode *node;
    MnShortage shortage;
    MnReclaim reclaim;
    gboolean was_short;
    gint64 woken_us;
    MnSignals signals;
} OomNotifyFile;

typedef struct OomNotify {
    MnOpen open;
    MnSignal signal;
    char reason[MN_SHORTAGE_LINE_BYTES]; /* of the last POLLIN, until it is read; "" for none */
} OomNotify;

static OomNotifyFile *file_of(MnOpen *open) {
    return open->node->data;
}

static void on_told(MnObserver *observer, const MnMoment *moment) {
    OomNotifyFile *file = (OomNotifyFile *)observer;
    gboolean is_short, was_short = file->was_short;

    mn_shortage_advance(&file->shortage, moment->sample, moment->zones, moment->time_us);
    mn_reclaim_advance(&file->reclaim, moment->sample);
    is_short = mn_shortage_holds(&file->shortage, moment->time_us);

    observer->is_reached = is_short;
    mn_observer_set_pace(observer, moment, mn_shortage_watermark(file->shortage.kind), file->reclaim.is_on);
    if (is_short)
        observer->distance_pages = G_MAXUINT64;

    file->was_short = is_short;
    if (is_short && (!was_short || moment->time_us - file->woken_us >= WAKE_AGAIN_US)) {
        file->woken_us = moment->time_us;
        mn_node_wake(file->node);
        mn_signals_send(&file->signals, mn_signals_count(&file->signals));
    }
}

/* The first to come; `opens` does not have it yet. */
static int oom_notify_open(MnOpen *open) {
    OomNotifyFile *file = file_of(open);

    if (!open->node->opens) {
        mn_shortage_init(&file->shortage, file->shortage.kind);
        file->reclaim = (MnReclaim){ 0 };
        file->was_short = FALSE;
        mn_sampler_observe(file->context->sampler, &file->observer);
    }
    return 0;
}

/* The last to go; `opens` still has it. */
static void oom_notify_release(MnOpen *open) {
    OomNotifyFile *file = file_of(open);

    mn_signal_drop(&((OomNotify *)open)->signal);
    if (open->node->opens == open && !open->next)
        mn_sampler_unobserve(file->context->sampler, &file->observer);
}

/* Why it is ready now or, when it is not any more, why the last poll has said so. */
static int oom_notify_read(MnOpen *open, GString *text) {
    OomNotifyFile *file = file_of(open);
    OomNotify *self = (OomNotify *)open;
    gint64 now_us;

    mn_sampler_read(file->context->sampler);
    now_us = g_get_monotonic_time();
    if (mn_shortage_holds(&file->shortage, now_us) || self->reason[0] == '\0')
        mn_shortage_describe(&file->shortage, now_us, self->reason);
    g_string_append(text, self->reason);
    self->reason[0] = '\0';
    return 0;
}

static int oom_notify_write(MnOpen *open, const MnWrite *write) {
    return mn_signal_write(&file_of(open)->signals, &((OomNotify *)open)->signal, open, write);
}

static guint oom_notify_poll(MnOpen *open) {
    OomNotifyFile *file = file_of(open);
    gint64 now_us;

    mn_sampler_read(file->context->sampler);
    now_us = g_get_monotonic_time();
    if (!mn_shortage_holds(&file->shortage, now_us))
        return 0;
    mn_shortage_describe(&file->shortage, now_us, ((OomNotify *)open)->reason);
    return POLLIN;
}

static const MnFileOps oom_notify_ops = {
    .open_bytes = sizeof(OomNotify),
    .is_rereadable = TRUE,
    .open = oom_notify_open,
    .release = oom_notify_release,
    .read = oom_notify_read,
    .write = oom_notify_write,
    .poll = oom_notify_poll,
    .free_data = g_free,
};

static void add(MnTree *tree, MnFilesContext *context, const char *name, MnShortageKind kind, guint sources) {
    OomNotifyFile *file = g_new0(OomNotifyFile, 1);

    file->observer.sources = sources;
    file->observer.counters = mn_shortage_counters(kind) | MN_RECLAIM_COUNTERS;
    file->observer.told = on_told;
    file->context = context;
    file->signals.helper = context->helper;
    file->signals.messenger = context->messenger;
    mn_shortage_init(&file->shortage, kind);
    file->node = mn_tree_add_file(tree, mn_tree_get_root(tree), name, 0666, &oom_notify_ops, file);
}

void mn_oom_notify_add(MnTree *tree, MnFilesContext *context) {
    guint sources = MN_SOURCE_ZONEINFO | MN_SOURCE_VMSTAT;

    add(tree, context, "oom_notify", MN_SHORTAGE_ORDINARY, sources);
    add(tree, context, "oom_notify_critical", MN_SHORTAGE_CRITICAL, sources | MN_SOURCE_PRESSURE);
}
