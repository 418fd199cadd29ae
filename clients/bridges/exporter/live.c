/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A look asks a follower for each mount, and a thread for processes, none of which is waited for: it is over when all have
 * answered, or when it is time for the next. Then it is a text for all who look, to which each is added what has happened
 * since his last. */
#include "live.h"

#include "crowd.h"
#include "look.h"

#include "loop/clock.h"

#include <glib-unix.h>

#include <string.h>

#define VIEWERS_MAX 256
#define EVENTS_MAX 100

typedef struct Party {
    ExpLive *live;
    const char *name;
    CmdFollower *follower;
    CmdFound found; /* what it has found last */
    gboolean is_asked;
} Party;

/* With where it has happened. */
typedef struct Happened {
    const char *mount;
    CmdEvent event;
} Happened;

struct ExpLive {
    guint interval_ms;
    guint n_parties;
    Party *parties;
    ExpCrowd *crowd; /* NULL: processes are not shown */
    GQueue events;   /* of Happened */
    guint64 n_happened;
    GQueue viewers;
    char *head; /* of the last look, to which events are to be added; NULL: there is none */
    guint64 n_looks;
    guint timer; /* while there are viewers */
    JsonBuilder *builder;
};

struct ExpViewer {
    ExpLive *live;
    GList link;
    void (*ready)(gpointer data);
    gpointer data;
    guint64 n_looks; /* he has been sent those until then */
    guint64 n_happened;
    GString *text; /* that is being sent */
    gsize at;
};

static gboolean is_over(const ExpLive *self) {
    for (guint i = 0; i < self->n_parties; i++)
        if (self->parties[i].is_asked)
            return FALSE;
    return !self->crowd || !exp_crowd_is_looking(self->crowd);
}

/* --- what was seen --- */

static void add_mounts(ExpLive *self) {
    json_builder_set_member_name(self->builder, "mounts");
    json_builder_begin_array(self->builder);
    for (guint i = 0; i < self->n_parties; i++)
        exp_look_add_mount(self->builder, self->parties[i].name, &self->parties[i].found, self->parties[i].is_asked);
    json_builder_end_array(self->builder);
}

static void add_processes(ExpLive *self) {
    const GArray *grown = self->crowd && !exp_crowd_is_looking(self->crowd) ? exp_crowd_get(self->crowd) : NULL;

    json_builder_set_member_name(self->builder, "processes");
    if (!grown) {
        json_builder_add_null_value(self->builder);
        return;
    }
    json_builder_begin_array(self->builder);
    for (guint i = 0; i < grown->len; i++)
        exp_look_add_process(self->builder, &g_array_index(grown, CmdGrown, i));
    json_builder_end_array(self->builder);
}

static gint64 date_ms(void) {
    struct timespec now = mn_date_now();

    return (gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "{...", without its end. */
static char *print_head(ExpLive *self) {
    char *text;

    json_builder_begin_object(self->builder);
    json_builder_set_member_name(self->builder, "interval_ms");
    json_builder_add_int_value(self->builder, self->interval_ms);
    json_builder_set_member_name(self->builder, "time_ms");
    json_builder_add_int_value(self->builder, date_ms());
    exp_look_add_help(self->builder);
    add_mounts(self);
    add_processes(self);
    json_builder_end_object(self->builder);
    text = exp_look_print(self->builder);
    text[strlen(text) - 1] = '\0';
    return text;
}

/* A list of what has happened since then. */
static char *print_events(ExpLive *self, guint64 n_happened) {
    guint64 missing = self->n_happened - n_happened;
    guint n = (guint)MIN(missing, self->events.length);

    json_builder_begin_array(self->builder);
    for (const GList *link = g_queue_peek_nth_link(&self->events, self->events.length - n); n > 0 && link;
         link = link->next) {
        const Happened *happened = link->data;

        exp_look_add_event(self->builder, happened->mount, &happened->event);
    }
    json_builder_end_array(self->builder);
    return exp_look_print(self->builder);
}

static void publish(ExpLive *self) {
    g_free(self->head);
    self->head = print_head(self);
    self->n_looks++;
    for (GList *link = self->viewers.head; link; link = link->next) {
        ExpViewer *viewer = link->data;

        viewer->ready(viewer->data);
    }
}

/* --- looking --- */

static void on_crowd(gpointer data) {
    ExpLive *self = data;

    if (is_over(self))
        publish(self);
}

static gboolean on_found(gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data) {
    Party *self = data;
    CmdFound found = { 0 };
    Happened happened = { .mount = self->name };
    gboolean is_found = cmd_follower_take(self->follower, &found);

    while (cmd_follower_take_event(self->follower, &happened.event)) {
        g_queue_push_tail(&self->live->events, g_memdup2(&happened, sizeof happened));
        self->live->n_happened++;
        if (self->live->events.length > EVENTS_MAX)
            g_free(g_queue_pop_head(&self->live->events));
    }
    if (is_found) {
        cmd_found_clear(&self->found);
        self->found = found;
        self->is_asked = FALSE;
        if (is_over(self->live))
            publish(self->live);
    }
    return G_SOURCE_CONTINUE;
}

static void begin_look(ExpLive *self, gboolean is_first) {
    for (guint i = 0; i < self->n_parties; i++)
        self->parties[i].is_asked |= cmd_follower_ask(self->parties[i].follower);
    if (self->crowd)
        exp_crowd_look(self->crowd, is_first);
}

static gboolean on_time(gpointer data) {
    ExpLive *self = data;

    if (!is_over(self))
        publish(self);
    begin_look(self, FALSE);
    return G_SOURCE_CONTINUE;
}

/* The first look is not from before. */
static void start(ExpLive *self) {
    g_clear_pointer(&self->head, g_free);
    self->timer = g_timeout_add(self->interval_ms, on_time, self);
    begin_look(self, TRUE);
}

static void stop(ExpLive *self) {
    g_source_remove(self->timer);
    self->timer = 0;
    for (guint i = 0; i < self->n_parties; i++)
        cmd_follower_rest(self->parties[i].follower);
    if (self->crowd)
        exp_crowd_rest(self->crowd);
}

ExpLive *exp_live_new(const ExpMounts *mounts, guint interval_ms, guint n_processes) {
    ExpLive *self = g_new0(ExpLive, 1);

    *self = (ExpLive){ .interval_ms = interval_ms, .n_parties = mounts->n, .builder = json_builder_new() };
    self->parties = g_new0(Party, mounts->n);
    for (guint i = 0; i < mounts->n; i++) {
        Party *party = &self->parties[i];

        *party = (Party){ .live = self, .name = mounts->mounts[i].name };
        party->follower = cmd_follower_new_away(mounts->mounts[i].place);
        party->found.place = g_strdup(mounts->mounts[i].place);
        cmd_follower_start(party->follower);
        g_unix_fd_add(cmd_follower_get_fd(party->follower), G_IO_IN, on_found, party);
    }
    if (n_processes > 0)
        self->crowd = exp_crowd_new(n_processes, on_crowd, self);
    return self;
}

/* --- who looks --- */

ExpViewer *exp_live_join(ExpLive *self, void (*ready)(gpointer data), gpointer data) {
    ExpViewer *viewer;

    if (self->viewers.length >= VIEWERS_MAX)
        return NULL;
    if (self->viewers.length == 0)
        start(self);
    viewer = g_new0(ExpViewer, 1);
    *viewer = (ExpViewer){ .live = self, .ready = ready, .data = data, .link.data = viewer };
    viewer->n_looks = self->head ? self->n_looks - 1 : self->n_looks;
    viewer->text = g_string_new("retry: 2000\n\n");
    g_queue_push_tail_link(&self->viewers, &viewer->link);
    return viewer;
}

void exp_viewer_leave(ExpViewer *self) {
    ExpLive *live = self->live;

    g_queue_unlink(&live->viewers, &self->link);
    g_string_free(self->text, TRUE);
    g_free(self);
    if (live->viewers.length == 0)
        stop(live);
}

/* The last look, and what has happened since he had the one before. */
static void refill(ExpViewer *self) {
    ExpLive *live = self->live;
    g_autofree char *events = NULL;

    g_string_truncate(self->text, 0);
    self->at = 0;
    if (!live->head || self->n_looks == live->n_looks)
        return;
    events = print_events(live, self->n_happened);
    g_string_append_printf(self->text, "data: %s,\"events\":%s}\n\n", live->head, events);
    self->n_looks = live->n_looks;
    self->n_happened = live->n_happened;
}

gsize exp_viewer_take(ExpViewer *self, char *buffer, gsize size) {
    gsize n;

    if (self->at == self->text->len)
        refill(self);
    n = MIN(size, self->text->len - self->at);
    memcpy(buffer, self->text->str + self->at, n);
    self->at += n;
    return n;
}
