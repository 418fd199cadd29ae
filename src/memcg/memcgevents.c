/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells about a memory cgroup other than its usage.
 *
 * v2 has a file of counters that changes when an OOM begins (memory.events.local; before 5.2
 * only memory.events, which counts the groups below too) and reports POLLPRI then. The system
 * has neither: its counter of kills is read once a second. How hard reclaim works is told by
 * nobody and read from counters. Nobody tells of the removal of a group either, but its parent
 * directory does (inotify). */
#include "memcgevents.h"

#include "kernel/placewatch.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* Reading memory.stat costs 10 to 50 us; a burst of reclaim is longer than this. */
#define PRESSURE_PERIOD_MS 100
/* Of v1, and of the system. */
#define OOMS_PERIOD_MS 1000
/* Of v2, which tells: there is nothing to look for. */
#define OOMS_TOLD_PERIOD_MS (24 * 3600 * 1000)

/* A text may claim any number. */
#define OOMS_AT_ONCE_MAX 1000

/* One of the board's subscribers, while somebody listens. */
typedef struct Listening {
    MnSubscriber subscriber;
    MnMemcgEvents *events;
    gboolean is_on;
} Listening;

struct MnMemcgEvents {
    MnWitness witness; /* of the meters' group, which may be the same */
    MnBoard *board;
    MnMemcg *memcg; /* NULL: the whole system */
    MnMemcgListener listener;

    Listening ooms;
    guint64 n_ooms;
    guint ooms_source; /* of v2 */
    int ooms_fd;

    Listening pressure;
    MnVmpressure window;

    guint removal_source;
    MnPlaceWatch place;
    MnNotice notice; /* that it is to be looked for */
    gboolean is_removed;
};

static void on_ooms_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnMemcgEvents *self = ((Listening *)subscriber)->events;
    guint64 before = self->n_ooms;

    self->n_ooms = moment->ooms;
    if (moment->ooms > before)
        self->listener.ooms(MIN(moment->ooms - before, OOMS_AT_ONCE_MAX), self->listener.data);
}

static void on_pressure_told(MnSubscriber *subscriber, const MnMoment *moment) {
    MnMemcgEvents *self = ((Listening *)subscriber)->events;
    MnPressure level;

    if (mn_vmpressure_advance(&self->window, &moment->reclaim, &level))
        self->listener.pressure(level, self->listener.data);
}

static void look_for_group(MnNotice *notice) {
    mn_memcg_events_check_removed(MN_NOTICE_OWNER(notice, MnMemcgEvents));
}

static void on_presence(MnWitness *witness, const MnMoment *moment G_GNUC_UNUSED) {
    MnMemcgEvents *self = (MnMemcgEvents *)witness;

    mn_outbox_put(mn_board_get_outbox(self->board), &self->notice);
}

MnMemcgEvents *mn_memcg_events_new(MnBoard *board, const MnMemcgListener *listener) {
    MnMemcgEvents *self = g_new0(MnMemcgEvents, 1);

    self->board = board;
    self->memcg = mn_probe_get_memcg(mn_board_get_probe(board));
    self->listener = *listener;
    self->ooms_fd = -1;
    self->notice.tell = look_for_group;
    self->witness.presence_changed = on_presence;
    mn_board_add_witness(board, &self->witness);
    mn_place_watch_init(&self->place, self->memcg ? mn_memcg_get_directory(self->memcg) : NULL);
    self->ooms = (Listening){ .events = self, .subscriber = { .needs.machine = MN_SOURCE_OOMS, .told = on_ooms_told } };
    self->pressure = (Listening){
        .events = self,
        .subscriber = { .needs.machine = MN_SOURCE_RECLAIM, .told = on_pressure_told, .period_ms = PRESSURE_PERIOD_MS }
    };
    return self;
}

static void stop(guint *source, int *fd) {
    if (*source > 0)
        g_source_remove(*source);
    *source = 0;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void listen_to(Listening *listening) {
    listening->is_on = TRUE;
    mn_board_subscribe(listening->events->board, &listening->subscriber);
}

static void unlisten(Listening *listening) {
    if (listening->is_on)
        mn_board_unsubscribe(listening->events->board, &listening->subscriber);
    listening->is_on = FALSE;
}

void mn_memcg_events_free(MnMemcgEvents *self) {
    if (!self)
        return;
    mn_memcg_events_unwatch_ooms(self);
    mn_memcg_events_unwatch_pressure(self);
    mn_memcg_events_unwatch_removal(self);
    mn_place_watch_clear(&self->place);
    mn_outbox_take_back(mn_board_get_outbox(self->board), &self->notice);
    g_free(self);
}

/* --- ooms --- */

/* Reading makes the next change show; -errno: the group may be gone. */
static int read_again(int fd) {
    char text[512];

    while (pread(fd, text, sizeof text, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static gboolean on_events_changed(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnMemcgEvents *self = data;
    int r;

    r = read_again(fd);
    if (r < 0 && !mn_memcg_events_check_removed(self)) {
        g_warning("cannot read the OOMs of '%s': %s; they are looked for once in a while",
                  mn_memcg_get_directory(self->memcg), g_strerror(-r));
        self->ooms_source = 0;
        stop(&self->ooms_source, &self->ooms_fd);
        self->ooms.subscriber.period_ms = OOMS_PERIOD_MS;
        return G_SOURCE_REMOVE;
    }
    if (r == 0) {
        self->ooms.subscriber.turn_us = 0; /* it is its turn */
        mn_board_refresh(self->board);
    }
    return G_SOURCE_CONTINUE; /* or the source has been removed */
}

static int watch_events_file(MnMemcgEvents *self) {
    int r;

    r = mn_memcg_open_events(self->memcg, &self->ooms_fd);
    if (r == 0)
        r = read_again(self->ooms_fd);
    if (r < 0)
        stop(&self->ooms_source, &self->ooms_fd);
    else
        self->ooms_source = g_unix_fd_add(self->ooms_fd, G_IO_PRI, on_events_changed, self);
    return r;
}

/* In a replay nobody tells, and each of its moments is looked at. */
static guint64 ooms_period_ms(const MnMemcgEvents *self, gboolean is_told) {
    if (mn_probe_get_replay(mn_board_get_probe(self->board)))
        return 0;
    return is_told ? OOMS_TOLD_PERIOD_MS : OOMS_PERIOD_MS;
}

int mn_memcg_events_watch_ooms(MnMemcgEvents *self) {
    gboolean is_replay = mn_probe_get_replay(mn_board_get_probe(self->board)) != NULL;
    gboolean is_told = !is_replay && self->memcg && mn_memcg_get_version(self->memcg) == MN_CGROUP_V2;
    int r = 0;

    if (self->ooms.is_on)
        return 0;
    if (is_told)
        r = watch_events_file(self);
    if (r == 0)
        r = mn_board_read_ooms(self->board, &self->n_ooms);
    if (r < 0) {
        stop(&self->ooms_source, &self->ooms_fd);
        return r;
    }
    self->ooms.subscriber.period_ms = ooms_period_ms(self, is_told);
    listen_to(&self->ooms);
    return 0;
}

void mn_memcg_events_unwatch_ooms(MnMemcgEvents *self) {
    stop(&self->ooms_source, &self->ooms_fd);
    unlisten(&self->ooms);
}

int mn_memcg_events_get_oom_kills(MnMemcgEvents *self, guint64 *ret) {
    return mn_probe_read_oom_kills(mn_board_get_probe(self->board), ret);
}

/* --- pressure --- */

int mn_memcg_events_watch_pressure(MnMemcgEvents *self) {
    MnVmpressureCounters now;
    int r;

    if (self->pressure.is_on)
        return 0;
    r = mn_board_read_reclaim(self->board, &now);
    if (r < 0)
        return r; /* of v1 only the kernel knows */
    mn_vmpressure_init(&self->window, &now);
    listen_to(&self->pressure);
    return 0;
}

void mn_memcg_events_unwatch_pressure(MnMemcgEvents *self) {
    unlisten(&self->pressure);
}

/* --- removal --- */

gboolean mn_memcg_events_check_removed(MnMemcgEvents *self) {
    if (!self->memcg)
        return FALSE;
    if (!self->is_removed && mn_memcg_check_removed(self->memcg)) {
        self->is_removed = TRUE;
        self->listener.removed(self->listener.data);
    }
    if (self->is_removed && mn_memcg_reopen(self->memcg) == 0) {
        self->is_removed = FALSE;
        self->listener.returned(self->listener.data);
    }
    return self->is_removed;
}

static gboolean on_place_changed(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    MnMemcgEvents *self = data;

    if (mn_place_watch_drain(&self->place))
        mn_memcg_events_check_removed(self);
    return G_SOURCE_CONTINUE; /* or the source has been removed */
}

void mn_memcg_events_watch_removal(MnMemcgEvents *self) {
    int fd = mn_place_watch_start(&self->place);

    if (fd >= 0 && self->removal_source == 0) /* else it is noticed when somebody looks */
        self->removal_source = g_unix_fd_add(fd, G_IO_IN, on_place_changed, self);
}

void mn_memcg_events_unwatch_removal(MnMemcgEvents *self) {
    if (self->removal_source > 0)
        g_source_remove(self->removal_source);
    self->removal_source = 0;
    mn_place_watch_stop(&self->place);
}
