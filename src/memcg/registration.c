/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registrations of the memcg notification API: one kind of event, one eventfd.
 *
 * Where the kernel takes registrations itself (v1) it is given the client's own eventfd and
 * signals that without us: exact, at once, and for as long as anybody has the eventfd, also
 * after our end. What we keep of it is only the copy that counts for the user's quota. Elsewhere
 * usage thresholds are limits like any other, with the board, though without hysteresis; OOM
 * and reclaim are watched while somebody has registered for them.
 *
 * A registration that ends before its time (its client has gone, the group has been removed) is
 * signalled once, as the kernel does when a group is removed: whoever got the eventfd from the
 * client and waits for it wakes up, looks, and can register anew. The guard does it when we are
 * killed; what is the kernel's goes on then. */
#include "registration.h"

#include "kernel/claim.h"
#include "kernel/guard.h"
#include "kernel/ourselves.h"
#include "kernel/signaller.h"
#include "memcg/memcgevents.h"

#include <errno.h>

const char *const mn_event_file_names[MN_N_EVENT_KINDS] = {
    [MN_EVENT_USAGE] = "memory.usage_in_bytes",
    [MN_EVENT_MEMSW] = "memory.memsw.usage_in_bytes",
    [MN_EVENT_OOM] = "memory.oom_control",
    [MN_EVENT_PRESSURE] = "memory.pressure_level",
};

typedef struct Registration {
    MnRegistrations *registrations;
    MnSink *sink;
    GList sink_link;
    GList kind_link;
    MnEventKind kind;
    MnPressure level; /* of MN_EVENT_PRESSURE */
    MnWatch *watch;   /* of a usage threshold that can be crossed */
} Registration;

struct MnRegistrations {
    MnBoard *board;
    MnMemcg *memcg; /* NULL: the whole system */
    MnHelper *helper;
    dev_t device; /* of our own files */
    MnSinks *sinks;
    MnSignaller *signaller;
    MnGuard *guard; /* of the sinks with registrations */
    MnMemcgEvents *events;
    GQueue by_kind[MN_N_EVENT_KINDS]; /* of Registration; without those that are the kernel's */
    void (*removed)(gpointer data);
    void (*returned)(gpointer data);
    gpointer presence_data;
};

static gboolean is_usage(MnEventKind kind) {
    return kind == MN_EVENT_USAGE || kind == MN_EVENT_MEMSW;
}

static void signal_once(const Registration *registration) {
    mn_signaller_add(registration->registrations->signaller, registration->sink->fd);
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    signal_once(watch->owner);
}

static void on_ooms(guint64 n, gpointer data) {
    MnRegistrations *self = data;

    for (; n > 0; n--)
        for (GList *link = self->by_kind[MN_EVENT_OOM].head; link; link = link->next)
            signal_once(link->data);
}

static void on_pressure(MnPressure level, gpointer data) {
    MnRegistrations *self = data;

    for (GList *link = self->by_kind[MN_EVENT_PRESSURE].head; link; link = link->next)
        if (level >= ((Registration *)link->data)->level)
            signal_once(link->data);
}

/* Stops watching what nobody waits for any more. */
static void unwatch(MnRegistrations *self) {
    if (g_queue_is_empty(&self->by_kind[MN_EVENT_OOM]))
        mn_memcg_events_unwatch_ooms(self->events);
    if (g_queue_is_empty(&self->by_kind[MN_EVENT_PRESSURE]))
        mn_memcg_events_unwatch_pressure(self->events);
    if (mn_sinks_get_n_registrations(self->sinks) == 0)
        mn_memcg_events_unwatch_removal(self->events);
}

static void registration_free(Registration *registration) {
    MnRegistrations *self = registration->registrations;

    if (registration->watch) {
        mn_board_unwatch(self->board, registration->watch);
        mn_watch_free(registration->watch);
    }
    g_queue_unlink(&self->by_kind[registration->kind], &registration->kind_link);
    g_queue_unlink(&registration->sink->registrations, &registration->sink_link);
    g_free(registration);
}

static void on_sink_end(MnSink *sink, gpointer data) {
    MnRegistrations *self = data;

    while (!g_queue_is_empty(&sink->registrations)) {
        Registration *registration = g_queue_peek_head(&sink->registrations);

        signal_once(registration);
        registration_free(registration);
    }
    mn_signaller_flush(self->signaller); /* while the descriptor is open */
    if (sink->guarded)
        mn_guard_remove(self->guard, sink->guarded);
    unwatch(self);
}

static void on_removed(gpointer data) {
    MnRegistrations *self = data;

    mn_sinks_end_all(self->sinks);
    if (self->removed)
        self->removed(self->presence_data);
}

static void on_returned(gpointer data) {
    MnRegistrations *self = data;

    if (self->returned)
        self->returned(self->presence_data);
}

int mn_registrations_new(MnBoard *board, MnQuota *quota, MnHelper *helper, MnRegistrations **ret) {
    g_autoptr(MnRegistrations) self = g_new0(MnRegistrations, 1);
    MnMemcgListener listener = { on_ooms, on_pressure, on_removed, on_returned, self };
    int r;

    self->board = board;
    self->memcg = mn_probe_get_memcg(mn_board_get_probe(board));
    self->helper = helper;
    self->guard = mn_guard_new();
    self->events = mn_memcg_events_new(board, &listener);
    r = mn_signaller_new(mn_board_get_outbox(board), &self->signaller);
    if (r == 0)
        r = mn_sinks_new(quota, helper, on_sink_end, self, &self->sinks);
    if (r < 0)
        return r;

    *ret = g_steal_pointer(&self);
    return 0;
}

void mn_registrations_free(MnRegistrations *self) {
    if (!self)
        return;
    if (self->sinks)
        mn_sinks_end_all(self->sinks);
    mn_sinks_free(self->sinks);
    mn_memcg_events_free(self->events);
    mn_signaller_free(self->signaller);
    mn_guard_free(self->guard);
    g_free(self);
}

guint64 mn_registrations_get_n_signals(const MnRegistrations *self) {
    return mn_signaller_get_n_signals(self->signaller);
}

MnMemcg *mn_registrations_get_memcg(const MnRegistrations *self) {
    return self->memcg;
}

void mn_registrations_set_presence(MnRegistrations *self, void (*removed)(gpointer data),
                                   void (*returned)(gpointer data), gpointer data) {
    self->removed = removed;
    self->returned = returned;
    self->presence_data = data;
}

gboolean mn_registrations_check_removed(MnRegistrations *self) {
    return mn_memcg_events_check_removed(self->events);
}

int mn_registrations_get_oom_kills(MnRegistrations *self, guint64 *ret) {
    return mn_memcg_events_get_oom_kills(self->events, ret);
}

/* --- registering --- */

/* What the text of a registration asks for. */
typedef struct Wish {
    MnEventKind kind;
    MnPressure level;
    guint64 threshold_pages;
} Wish;

/* Of the machine that is shown. */
static guint page_bytes(const MnRegistrations *self) {
    return mn_board_get_machine(self->board)->page_bytes;
}

static int parse_wish(const MnRegistrations *self, MnEventKind kind, const char *argument, gsize len, Wish *ret) {
    ret->kind = kind;
    switch (kind) {
    case MN_EVENT_USAGE:
    case MN_EVENT_MEMSW:
        return mn_event_control_parse_threshold(argument, len, page_bytes(self), &ret->threshold_pages);
    case MN_EVENT_PRESSURE:
        return mn_event_control_parse_pressure(argument, len, &ret->level);
    default: /* an OOM has no argument that matters */
        return 0;
    }
}

MnMeterId mn_registrations_get_meter(const MnRegistrations *self, MnEventKind kind) {
    if (self->memcg)
        return kind == MN_EVENT_MEMSW ? MN_METER_GROUP_MEMSW : MN_METER_GROUP_USAGE;
    return kind == MN_EVENT_MEMSW ? MN_METER_SYSTEM_MEMSW : MN_METER_SYSTEM_USAGE;
}

/* Usage is never below 0 and never at the highest threshold there is, so those need no watch. */
static gboolean can_be_crossed(const MnRegistrations *self, guint64 pages) {
    return pages > 0 && pages < mn_event_control_max_pages(page_bytes(self));
}

static void watch_threshold(Registration *registration, guint64 pages) {
    MnRegistrations *self = registration->registrations;
    MnMeterId meter = mn_registrations_get_meter(self, registration->kind);
    MnLimitSet set = { .n = 1 };

    if (!can_be_crossed(self, pages))
        return;
    set.limits[0] = (MnLimit){ .meter = meter, .op = MN_OP_AT_LEAST, .is_exact = TRUE, .pages = pages };
    registration->watch = mn_watch_new(&set, on_crossing, registration);
    mn_board_watch(self->board, registration->watch);
}

static int watch_events(MnRegistrations *self, MnEventKind kind) {
    int r = 0;

    if (kind == MN_EVENT_OOM)
        r = mn_memcg_events_watch_ooms(self->events);
    if (kind == MN_EVENT_PRESSURE)
        r = mn_memcg_events_watch_pressure(self->events);
    return r;
}

static int add_ours(MnRegistrations *self, MnSink *sink, const Wish *wish) {
    Registration *registration;
    int r;

    r = mn_signaller_prepare(self->signaller);
    if (r == 0)
        r = watch_events(self, wish->kind);
    if (r < 0)
        return r;

    registration = g_new0(Registration, 1);
    *registration = (Registration){ .registrations = self,
                                    .sink = sink,
                                    .sink_link.data = registration,
                                    .kind_link.data = registration,
                                    .kind = wish->kind,
                                    .level = wish->level };
    if (!sink->guarded)
        sink->guarded = mn_guard_add(self->guard, sink->fd);
    g_queue_push_tail_link(&sink->registrations, &registration->sink_link);
    g_queue_push_tail_link(&self->by_kind[wish->kind], &registration->kind_link);
    if (is_usage(wish->kind))
        watch_threshold(registration, wish->threshold_pages);
    return 0;
}

/* Gives the client's eventfd to the kernel. FALSE where it does not take it.
 *
 * Registering a threshold waits for an RCU grace period (16 ms at the median on a 6.18 kernel,
 * nothing for the other kinds), and so would everybody who waits for us. Newer kernels let only
 * the owner of the group register; what the others could do to us is not for them either, and
 * they are served by samples. */
static gboolean add_kernels(MnRegistrations *self, MnSink *sink, uid_t uid, MnEventKind kind, const char *argument,
                            gsize len, int *ret) {
    if (!self->memcg || !mn_memcg_takes_registrations(self->memcg) || (uid != 0 && is_usage(kind)))
        return FALSE;
    *ret = mn_memcg_register(self->memcg, sink->fd, mn_event_file_names[kind], argument, len);
    return *ret != -EOPNOTSUPP;
}

void mn_registrations_set_device(MnRegistrations *self, dev_t device) {
    self->device = device;
}

void mn_registrations_prepare(MnRegistrations *self) {
    int r G_GNUC_UNUSED = mn_signaller_prepare(self->signaller);
}

int mn_registrations_claim(MnRegistrations *self, pid_t tid, uid_t uid, const MnEventControl *text, MnAnswered answered,
                           gpointer data) {
    const MnClaim claim = { tid, uid, text->eventfd, text->control, self->device };

    mn_sinks_look(self->sinks, uid); /* so that who registers and closes in a loop pays for it himself */
    return mn_claim_ask(&claim, self->helper, answered, data);
}

int mn_registrations_add(MnRegistrations *self, MnSinkKey *key, MnEventKind kind, const char *argument, gsize len) {
    MnSink *sink;
    Wish wish;
    int r;

    r = parse_wish(self, kind, argument, len, &wish);
    if (r < 0)
        return r;
    if (mn_registrations_check_removed(self))
        return -ENODEV;
    r = mn_sinks_charge(self->sinks, key, &sink);
    if (r < 0)
        return r;

    if (!add_kernels(self, sink, key->uid, kind, argument, len, &r))
        r = add_ours(self, sink, &wish);
    if (r < 0) {
        mn_sinks_refund(self->sinks, sink);
        return r;
    }
    mn_memcg_events_watch_removal(self->events);
    return 0;
}
