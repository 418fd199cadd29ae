/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom=kill: what the kernel does when nothing else helps, done earlier and in the user's order.
 *
 * A watch wakes us when a limit is reached; from then on, until it is left again, a timer looks
 * when the next step may be due. The step itself is mn_killing_next()'s to choose. It is taken from
 * the timer and never from notify(), which must not log, and only if a fresh sample still meets a
 * limit: the hysteresis of the watch keeps us looking, but kills nobody. */
#include "oomkiller.h"

#include "core/killing.h"
#include "core/process.h"

#include <errno.h>
#include <signal.h>

/* The last signal. */
typedef struct Killing {
    MnTarget target; /* its descriptors are the list's */
    int number;
    MnLimit limit; /* that is met, in pages */
    guint64 value_pages;
    guint n_listed;
    gint64 last_us; /* what it was before */
} Killing;

struct MnOomKiller {
    MnSampler *sampler;
    MnOomList *list;
    MnHelper *messenger;
    Killing killing;
    MnHelperJob *job; /* of it, until it is sent */
    MnWatch *watch;
    GSource *timer;
    gint64 grace_ms;
    gint64 last_us; /* when somebody was last sent SIGTERM */
};

/* Looks at once. The timer costs nothing before. */
static void look(MnOomKiller *self) {
    g_source_set_ready_time(self->timer, 0);
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    look(watch->observer);
}

/* The limit that is met by the sample, or NULL. */
static const MnEdge *find_met(const MnWatch *watch, const MnReading *reading) {
    for (guint i = 0; i < watch->n_edges; i++) {
        const MnEdge *edge = &watch->edges[i];
        guint64 value = reading->pages[edge->limit.meter];

        if (edge->limit.op == MN_OP_BELOW ? value < edge->enter_pages : value >= edge->enter_pages)
            return edge;
    }
    return NULL;
}

/* The first that was sent nothing, and the last that was. */
static void find_victims(MnOomKiller *self, MnVictim **ret_next, MnVictim **ret_last) {
    GPtrArray *victims = mn_oom_list_get_victims(self->list);

    *ret_next = *ret_last = NULL;
    for (guint i = 0; i < victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(victims, i);

        if (victim->terminated_us == 0)
            *ret_next = *ret_next ? *ret_next : victim;
        else if (!*ret_last || victim->terminated_us > (*ret_last)->terminated_us)
            *ret_last = victim;
    }
}

/* Tells the log what has become of a signal. */
static void report(const Killing *killing, const char *name, int r) {
    g_autoptr(GString) comm = g_string_new(NULL);

    mn_comm_append(comm, name);
    g_message("oom: %s is %" G_GUINT64_FORMAT " pages, limit %s %" G_GUINT64_FORMAT ": %s to %d (%s), of %u listed%s%s",
              mn_meters[killing->limit.meter].name, killing->value_pages, mn_op_names[killing->limit.op],
              killing->limit.pages, killing->number == SIGKILL ? "SIGKILL" : "SIGTERM", killing->target.pid, comm->str,
              killing->n_listed, r < 0 ? ": " : "", r < 0 ? g_strerror(-r) : "");
}

/* Who had ended already is no step: the next is due at once. Who may not be signalled (any more) is taken as if it
 * had been killed long ago in vain. */
static void on_signalled(int r, MnParcel *answer, gpointer data) {
    MnOomKiller *self = data;
    const Killing *killing = &self->killing;
    MnVictim *victim = mn_oom_list_find(self->list, &killing->target);

    self->job = NULL;
    if (r == -ENOTCONN)
        return;
    if (r != -ESRCH)
        report(killing, answer->bytes->len > 0 ? (const char *)answer->bytes->data : "", r);
    if (r < 0)
        self->last_us = killing->last_us;
    if (r < 0 && victim)
        victim->terminated_us = victim->killed_us = 1;
    look(self);
}

static void send_signal(MnOomKiller *self, MnVictim *victim, int number, const MnEdge *edge, const MnReading *reading) {
    g_auto(MnParcel) nothing = { 0 };
    int r;

    mn_parcel_init(&nothing);
    self->killing = (Killing){ .target = victim->target,
                               .number = number,
                               .limit = edge->limit,
                               .value_pages = reading->pages[edge->limit.meter],
                               .n_listed = mn_oom_list_get_victims(self->list)->len,
                               .last_us = self->last_us };
    self->killing.limit.pages = edge->enter_pages;
    if (number == SIGTERM)
        self->last_us = victim->terminated_us;
    r = mn_target_ask_signal(&victim->target, self->messenger, &victim->writer, number, on_signalled, self, &self->job);
    if (r < 0)
        on_signalled(r, &nothing, self);
}

static void terminate(MnOomKiller *self, MnVictim *victim, const MnEdge *edge, const MnReading *reading) {
    victim->terminated_us = g_get_monotonic_time();
    send_signal(self, victim, SIGTERM, edge, reading);
}

static void kill_now(MnOomKiller *self, MnVictim *victim, const MnEdge *edge, const MnReading *reading) {
    victim->killed_us = g_get_monotonic_time();
    send_signal(self, victim, SIGKILL, edge, reading);
}

/* The danger is over: who has outlived SIGTERM begins anew when there is another. */
static void forgive(MnOomKiller *self) {
    GPtrArray *victims = mn_oom_list_get_victims(self->list);

    for (guint i = 0; i < victims->len; i++) {
        MnVictim *victim = g_ptr_array_index(victims, i);

        victim->terminated_us = 0;
        victim->killed_us = 0;
    }
}

static gboolean on_timer(gpointer user_data) {
    MnOomKiller *self = user_data;
    const MnReading *reading;
    MnVictim *next, *last;
    MnKillingStep step;
    const MnEdge *edge;
    gint64 again_us;

    mn_oom_list_refresh(self->list);
    reading = mn_sampler_read(self->sampler);
    edge = find_met(self->watch, reading);
    g_source_set_ready_time(self->timer, -1);
    if (!self->watch->reached) {
        forgive(self);
        return G_SOURCE_CONTINUE;
    }

    find_victims(self, &next, &last);
    if (self->job) /* looks again when that is done */
        return G_SOURCE_CONTINUE;
    step = mn_killing_next(&(MnKilling){ .now_us = g_get_monotonic_time(),
                                         .last_us = self->last_us,
                                         .terminated_us = last ? last->terminated_us : 0,
                                         .killed_us = last ? last->killed_us : 0,
                                         .has_next = next != NULL,
                                         .is_low = edge != NULL,
                                         .grace_ms = self->grace_ms },
                           &again_us);
    if (step == MN_KILLING_TERMINATE)
        terminate(self, next, edge, reading);
    else if (step == MN_KILLING_KILL)
        kill_now(self, last, edge, reading);

    g_source_set_ready_time(self->timer, again_us > 0 ? again_us : -1);
    return G_SOURCE_CONTINUE;
}

static void prepare(MnOomKiller *self) {
    int r = mn_helper_prepare(self->messenger);

    if (r < 0)
        g_warning("cannot start the helper process that sends signals: %s; it is tried again when it is needed",
                  g_strerror(-r));
}

/* Somebody came or went: waits for the limits while there is somebody, and goes on with the next. */
static void on_list_changed(gpointer data) {
    MnOomKiller *self = data;
    gboolean is_empty = mn_oom_list_get_victims(self->list)->len == 0;

    if (is_empty) {
        mn_sampler_remove(self->sampler, self->watch);
        g_source_set_ready_time(self->timer, -1);
        return;
    }
    prepare(self);
    if (!self->watch->indexed) {
        mn_sampler_settle(self->sampler, self->watch);
        mn_sampler_add(self->sampler, self->watch);
    }
    if (self->watch->reached)
        look(self);
}

static gboolean dispatch_timer(GSource *source G_GNUC_UNUSED, GSourceFunc callback, gpointer user_data) {
    return callback(user_data);
}

static GSource *timer_new(MnOomKiller *self) {
    static GSourceFuncs functions = { NULL, NULL, dispatch_timer, NULL, NULL, NULL };
    GSource *timer = g_source_new(&functions, sizeof(GSource));

    g_source_set_callback(timer, on_timer, self, NULL);
    g_source_set_static_name(timer, "oomkiller");
    g_source_attach(timer, NULL);
    return timer;
}

MnOomKiller *mn_oom_killer_new(MnSampler *sampler, MnOomList *list, const MnLimitSet *limits, guint64 grace_ms,
                               MnHelper *messenger) {
    MnOomKiller *self = g_new0(MnOomKiller, 1);

    self->sampler = sampler;
    self->list = list;
    self->messenger = messenger;
    self->grace_ms = grace_ms;
    self->timer = timer_new(self);
    self->watch = mn_watch_new(limits, on_crossing, self);
    mn_oom_list_set_changed(list, on_list_changed, self);
    return self;
}

void mn_oom_killer_free(MnOomKiller *self) {
    if (!self)
        return;
    mn_oom_list_set_changed(self->list, NULL, NULL);
    if (self->job)
        mn_helper_forget(self->job);
    mn_sampler_remove(self->sampler, self->watch);
    mn_watch_free(self->watch);
    g_source_destroy(self->timer);
    g_source_unref(self->timer);
    g_free(self);
}
