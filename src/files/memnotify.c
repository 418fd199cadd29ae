/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memnotify: the device of 2012.
 *
 * A read gives one line of meters, a write sets the limits of this open file, and an event is a
 * change of the set of limits that are reached, in either direction. The event stays until it is
 * read (or, with -o ack=poll, until a poll has reported it, as in the driver), so several changes
 * before anybody looks are one event, and nothing that asks twice loses one. */
#include "files/files.h"
#include "fs/open.h"

#include <poll.h>

#define SOURCES (MN_SOURCE_VMSTAT | MN_SOURCE_MEMINFO)

typedef struct Memnotify {
    MnOpen open;
    MnWatch *watch; /* NULL without limits */
    gboolean has_event;
} Memnotify;

static MnFilesContext *context_of(MnOpen *open) {
    return open->node->data;
}

static int memnotify_open(MnOpen *open) {
    mn_sampler_hold(context_of(open)->sampler, SOURCES);
    return 0;
}

static void drop_watch(Memnotify *self) {
    if (!self->watch)
        return;
    mn_sampler_remove(context_of(&self->open)->sampler, self->watch);
    g_clear_pointer(&self->watch, mn_watch_free);
}

static void memnotify_release(MnOpen *open) {
    drop_watch((Memnotify *)open);
    mn_sampler_release(context_of(open)->sampler, SOURCES);
}

/* "used 89123 active 45678 total 6171024\n", as the driver. */
static int memnotify_read(MnOpen *open, GString *text) {
    static const MnMeterId shown[] = { MN_METER_USED, MN_METER_ACTIVE, MN_METER_TOTAL };
    const MnReading *reading = mn_sampler_read(context_of(open)->sampler); /* may bring an event */

    ((Memnotify *)open)->has_event = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
        g_string_append_printf(text, "%s%s %" G_GUINT64_FORMAT, i > 0 ? " " : "",
                               mn_meters[shown[i]].name, reading->pages[shown[i]]);
    g_string_append_c(text, '\n');
    return 0;
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    Memnotify *self = watch->observer;

    self->open.snapshot.may_go_on = TRUE;
    if (self->has_event)
        return;
    self->has_event = TRUE;
    mn_open_wake(&self->open);
}

static int memnotify_write(MnOpen *open, const MnWrite *write) {
    Memnotify *self = (Memnotify *)open;
    MnSampler *sampler = context_of(open)->sampler;
    MnLimitSet set;
    int r;

    r = mn_limit_set_parse(write->text, write->len, mn_sampler_get_machine(sampler), &set);
    if (r < 0)
        return r;

    drop_watch(self);
    self->has_event = FALSE;
    if (set.n > 0) {
        self->watch = mn_watch_new(&set, on_crossing, self);
        mn_sampler_settle(sampler, self->watch);
        mn_sampler_add(sampler, self->watch);
    }
    return 0;
}

static guint memnotify_poll(MnOpen *open) {
    Memnotify *self = (Memnotify *)open;
    guint events = POLLOUT | POLLWRNORM;

    if (self->has_event) {
        events |= POLLIN | POLLRDNORM;
        self->has_event = !context_of(open)->poll_acknowledges;
    }
    return events;
}

static const MnFileOps memnotify_ops = {
    .open_bytes = sizeof(Memnotify),
    .is_rereadable = TRUE,
    .open = memnotify_open,
    .release = memnotify_release,
    .read = memnotify_read,
    .write = memnotify_write,
    .poll = memnotify_poll,
};

void mn_memnotify_add(MnTree *tree, MnFilesContext *context) {
    mn_tree_add_file(tree, mn_tree_get_root(tree), "memnotify", 0666, &memnotify_ops, context);
}
