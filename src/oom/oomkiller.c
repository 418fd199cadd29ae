/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oom=kill: what the kernel does when nothing else helps, done earlier and in the user's order.
 *
 * A watch tells us when a limit is reached; from then on, until it is left again, an alarm rings
 * when the next step may be due. The step itself is mn_killing_next()'s to choose. It is taken when
 * the turn of the main loop ends, and only if a fresh sample still meets a limit: the
 * hysteresis of the watch keeps us looking, but kills nobody. */
#include "oomkiller.h"

#include "core/killing.h"
#include "core/process.h"
#include "loop/alarm.h"

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
    MnBoard *board;
    MnOomList *list;
    MnHelper *messenger;
    Killing killing;
    MnHelperJob *job; /* of it, until it is sent */
    MnWatch *watch;
    MnNotice notice; /* that the next step may be due */
    MnAlarm *alarm;  /* that it will be */
    gint64 grace_ms;
    gint64 last_us; /* when somebody was last sent SIGTERM */
};

/* Looks when the turn ends. */
static void look_soon(MnOomKiller *self) {
    mn_outbox_put(mn_board_get_outbox(self->board), &self->notice);
}

static void on_crossing(MnWatch *watch, const MnReading *reading G_GNUC_UNUSED) {
    look_soon(watch->owner);
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
    look_soon(self);
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
    victim->terminated_us = mn_board_now_us(self->board);
    send_signal(self, victim, SIGTERM, edge, reading);
}

static void kill_now(MnOomKiller *self, MnVictim *victim, const MnEdge *edge, const MnReading *reading) {
    victim->killed_us = mn_board_now_us(self->board);
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

static void take_step(MnOomKiller *self) {
    const MnReading *reading;
    MnVictim *next, *last;
    MnKillingStep step;
    const MnEdge *edge;
    gint64 again_us;

    mn_oom_list_refresh(self->list);
    reading = mn_board_read(self->board);
    edge = find_met(self->watch, reading);
    mn_alarm_stop(self->alarm);
    if (!self->watch->reached || mn_board_is_gone(self->board)) {
        forgive(self);
        return;
    }

    find_victims(self, &next, &last);
    if (self->job) /* looks again when that is done */
        return;
    step = mn_killing_next(&(MnKilling){ .now_us = mn_board_now_us(self->board),
                                         .last_us = self->last_us,
                                         .terminated_us = last ? last->terminated_us : 0,
                                         .killed_us = last ? last->killed_us : 0,
                                         .has_next = next != NULL,
                                         .is_low = edge != NULL,
                                         .grace_ms = self->grace_ms },
                           &again_us);
    if (step == MN_KILLING_TERMINATE) {
        g_assert(next && edge);
        terminate(self, next, edge, reading);
    } else if (step == MN_KILLING_KILL) {
        g_assert(last && edge);
        kill_now(self, last, edge, reading);
    }

    if (again_us > 0)
        mn_alarm_set(self->alarm, again_us);
}

static void on_notice(MnNotice *notice) {
    take_step(MN_NOTICE_OWNER(notice, MnOomKiller));
}

static void on_alarm(gpointer data) {
    take_step(data);
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
        mn_board_unwatch(self->board, self->watch);
        mn_alarm_stop(self->alarm);
        mn_outbox_take_back(mn_board_get_outbox(self->board), &self->notice);
        return;
    }
    prepare(self);
    if (!self->watch->indexed) {
        self->watch->known = 0; /* what was before does not matter */
        mn_board_watch(self->board, self->watch);
    }
    if (self->watch->reached)
        look_soon(self);
}

MnOomKiller *mn_oom_killer_new(MnBoard *board, MnOomList *list, const MnLimitSet *limits, guint64 grace_ms,
                               MnHelper *messenger) {
    MnOomKiller *self = g_new0(MnOomKiller, 1);

    self->board = board;
    self->list = list;
    self->messenger = messenger;
    self->grace_ms = grace_ms;
    self->notice.tell = on_notice;
    self->alarm = mn_alarm_new(mn_board_get_clock(board), "oomkiller", on_alarm, self);
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
    mn_board_unwatch(self->board, self->watch);
    mn_watch_free(self->watch);
    mn_outbox_take_back(mn_board_get_outbox(self->board), &self->notice);
    mn_alarm_free(self->alarm);
    g_free(self);
}
