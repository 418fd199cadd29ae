/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom=kill: what the kernel does when nothing else helps, done earlier and in the user's order.
 *
 * A watch wakes us when a limit is reached; from then on, until it is left again, a timer looks
 * when the next step may be due. The step itself is mn_killing_next()'s to choose. It is taken from
 * the timer and never from notify(), which must not log, and only if a fresh sample still meets a
 * limit: the hysteresis of the watch keeps us looking, but kills nobody. */
#include "oomkiller.h"

#include "core/killing.h"
#include "source/process.h"

#include <errno.h>
#include <signal.h>

struct MnOomKiller {
    MnSampler *sampler;
    MnOomList *list;
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

/* Signals first and tells the log afterwards. FALSE when it is not permitted (any more). */
static gboolean send(MnOomKiller *self, const MnVictim *victim, int number, const MnEdge *edge,
                     const MnReading *reading) {
    int r = mn_process_signal(victim->pidfd, number);
    g_autoptr(GString) comm = g_string_new(NULL);
    MnProcessStat stat;

    if (mn_process_read_stat(victim->pid, &stat) == 0)
        mn_comm_append(comm, stat.comm);
    g_message("oom: %s is %" G_GUINT64_FORMAT " pages, limit %s %" G_GUINT64_FORMAT ": %s to %d (%s), of %u listed%s%s",
              mn_meters[edge->limit.meter].name, reading->pages[edge->limit.meter],
              mn_op_names[edge->limit.op], edge->enter_pages, number == SIGKILL ? "SIGKILL" : "SIGTERM",
              victim->pid, comm->str, mn_oom_list_get_victims(self->list)->len, r < 0 ? ": " : "",
              r < 0 ? g_strerror(-r) : "");
    return r == 0 || r == -ESRCH;
}

static void terminate(MnOomKiller *self, MnVictim *victim, const MnEdge *edge, const MnReading *reading) {
    victim->terminated_us = g_get_monotonic_time();
    if (send(self, victim, SIGTERM, edge, reading)) {
        self->last_us = victim->terminated_us;
    } else { /* as if it had been killed long ago in vain */
        victim->terminated_us = 1;
        victim->killed_us = 1;
    }
}

static void kill_now(MnOomKiller *self, MnVictim *victim, const MnEdge *edge, const MnReading *reading) {
    victim->killed_us = g_get_monotonic_time();
    (void)send(self, victim, SIGKILL, edge, reading);
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
    const MnReading *reading = mn_sampler_read(self->sampler);
    const MnEdge *edge = find_met(self->watch, reading);
    MnVictim *next, *last;
    MnKillingStep step;
    gint64 again_us;

    g_source_set_ready_time(self->timer, -1);
    if (!self->watch->reached) {
        forgive(self);
        return G_SOURCE_CONTINUE;
    }

    find_victims(self, &next, &last);
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

/* Somebody came or went: waits for the limits while there is somebody, and goes on with the next. */
static void on_list_changed(gpointer data) {
    MnOomKiller *self = data;
    gboolean is_empty = mn_oom_list_get_victims(self->list)->len == 0;

    if (is_empty) {
        mn_sampler_remove(self->sampler, self->watch);
        g_source_set_ready_time(self->timer, -1);
        return;
    }
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

MnOomKiller *mn_oom_killer_new(MnSampler *sampler, MnOomList *list, const MnLimitSet *limits,
                               guint64 grace_ms) {
    MnOomKiller *self = g_new0(MnOomKiller, 1);

    self->sampler = sampler;
    self->list = list;
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
    mn_sampler_remove(self->sampler, self->watch);
    mn_watch_free(self->watch);
    g_source_destroy(self->timer);
    g_source_unref(self->timer);
    g_free(self);
}
