/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that does what may wait for a server: read of it, and poll its events. Between it and its maker there are two
 * flags, what was found and what has happened, under a lock that is never held while anything waits. */
#include "follower.h"

#include "eventfile.h"
#include "where.h"

#include "loop/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* More are not kept until somebody takes them. */
#define EVENTS_MAX 256

struct CmdFollower {
    GMutex lock;
    int asked_fd; /* eventfds */
    int news_fd;
    gboolean is_asked;  /* these four, and the events, are under the lock */
    gboolean is_wanted; /* not after cmd_follower_rest() */
    gboolean is_found;
    CmdFound found;
    GQueue events; /* of CmdEvent */

    char *place; /* all others belong to the thread */
    CmdReader *reader;
    int events_fd;
    gboolean was_found;
    gboolean was_away;
};

void cmd_found_clear(CmdFound *self) {
    cmd_figures_clear(&self->figures);
    g_clear_pointer(&self->place, g_free);
    g_clear_pointer(&self->lack, g_free);
}

static void ring(int fd) {
    eventfd_write(fd, 1); /* fails only when it was rung 2^64 times */
}

static void unring(int fd) {
    eventfd_t value;

    (void)eventfd_read(fd, &value);
}

/* --- in the thread --- */

static void tell_event(const CmdEvent *event, gpointer data) {
    CmdFollower *self = data;

    g_mutex_lock(&self->lock);
    g_queue_push_tail(&self->events, g_memdup2(event, sizeof *event));
    if (g_queue_get_length(&self->events) > EVENTS_MAX)
        g_free(g_queue_pop_head(&self->events));
    g_mutex_unlock(&self->lock);
    ring(self->news_fd);
}

static void close_events(CmdFollower *self) {
    if (self->events_fd >= 0)
        close(self->events_fd);
    self->events_fd = -1;
}

static void take_events(CmdFollower *self) {
    if (cmd_event_file_read(self->events_fd, tell_event, self) < 0)
        close_events(self);
}

/* Without that descriptor there are only no events. */
static void open_events(CmdFollower *self) {
    if (cmd_reader_get_way(self->reader) == CMD_WAY_FILES && self->events_fd < 0)
        self->events_fd = cmd_event_file_open(cmd_reader_get_place(self->reader));
    if (self->events_fd >= 0)
        take_events(self); /* so that the server knows from now on that there is somebody who wants them */
}

static void lose_server(CmdFollower *self, int r) {
    close_events(self);
    g_clear_pointer(&self->reader, cmd_reader_free);
    self->was_away = TRUE;
    if (!cmd_where_is_named(self->place))
        (void)cmd_reader_new_without_server(r, &self->reader); /* says why not, and we try again */
}

static int find_server(CmdFollower *self) {
    CmdEvent event = { .what = { .kind = MEMNOTIFYFS_RECONNECTED, .time_us = mn_clock_now_us(&mn_machine_clock) } };
    CmdReader *found;
    int r = cmd_reader_find(self->place, &found);

    if (r < 0)
        return r;
    cmd_reader_free(self->reader);
    self->reader = found;
    open_events(self);
    if (self->was_away && self->was_found)
        tell_event(&event, self);
    self->was_away = FALSE;
    self->was_found = TRUE;
    return 0;
}

static gboolean has_server(const CmdFollower *self) {
    return self->reader && cmd_reader_get_way(self->reader) != CMD_WAY_PROC;
}

/* Where there is no server it looks for one first. */
static void look(CmdFollower *self, CmdFound *ret) {
    int r = has_server(self) ? 0 : find_server(self);

    if (r < 0 && !self->reader)
        lose_server(self, r);
    if (self->reader)
        r = cmd_reader_look(self->reader, &ret->figures);
    if (r < 0 && has_server(self)) {
        lose_server(self, r);
        r = self->reader ? cmd_reader_look(self->reader, &ret->figures) : r;
    }

    ret->has_figures = self->reader && r == 0;
    ret->way = self->reader ? cmd_reader_get_way(self->reader) : CMD_WAY_FILES;
    ret->place = g_strdup(self->reader ? cmd_reader_get_place(self->reader) : self->place);
    if (!self->reader)
        ret->lack = g_strdup_printf(
            "%s (%s)", self->was_found ? "memnotifyfs has ended; looking for the next" : "There is no memnotifyfs yet",
            g_strerror(-r));
    else
        ret->lack = g_strdup(r < 0 ? g_strerror(-r) : cmd_reader_get_lack(self->reader));
}

static void rest(CmdFollower *self) {
    close_events(self);
    g_clear_pointer(&self->reader, cmd_reader_free);
}

static gboolean is_true(CmdFollower *self, const gboolean *flag) {
    gboolean is_true;

    g_mutex_lock(&self->lock);
    is_true = *flag;
    g_mutex_unlock(&self->lock);
    return is_true;
}

static void look_and_tell(CmdFollower *self) {
    CmdFound found = { 0 };

    look(self, &found);
    g_mutex_lock(&self->lock);
    cmd_found_clear(&self->found); /* which nobody took */
    self->found = found;
    self->is_found = TRUE;
    self->is_asked = FALSE;
    g_mutex_unlock(&self->lock);
    ring(self->news_fd);
}

/* One ring may stand for several: somebody has asked, and nobody wants to know any more. */
static void answer(CmdFollower *self) {
    unring(self->asked_fd);
    if (is_true(self, &self->is_asked))
        look_and_tell(self);
    if (!is_true(self, &self->is_wanted))
        rest(self);
}

static gpointer follow(gpointer data) {
    CmdFollower *self = data;

    if (self->reader)
        open_events(self);
    for (;;) {
        struct pollfd waiters[] = { { .fd = self->asked_fd, .events = POLLIN },
                                    { .fd = self->events_fd, .events = POLLIN } };

        if (poll(waiters, G_N_ELEMENTS(waiters), -1) < 0)
            continue;
        if (waiters[1].revents != 0)
            take_events(self);
        if (waiters[0].revents != 0)
            answer(self);
    }
    return NULL;
}

/* --- outside --- */

CmdFollower *cmd_follower_new_away(const char *place) {
    CmdFollower *self = g_new0(CmdFollower, 1);

    g_mutex_init(&self->lock);
    g_queue_init(&self->events);
    self->place = g_strdup(place);
    self->events_fd = -1;
    self->asked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return self;
}

int cmd_follower_new(const char *place, CmdFollower **ret) {
    CmdReader *reader;
    int status = cmd_reader_new(place, &reader);

    if (status != CMD_OK)
        return status;
    *ret = cmd_follower_new_away(place);
    (*ret)->reader = reader;
    (*ret)->was_found = cmd_reader_get_way(reader) != CMD_WAY_PROC;
    return CMD_OK;
}

void cmd_follower_start(CmdFollower *self) {
    g_thread_unref(g_thread_new("follower", follow, self));
}

int cmd_follower_get_fd(const CmdFollower *self) {
    return self->news_fd;
}

gboolean cmd_follower_ask(CmdFollower *self) {
    gboolean is_free;

    g_mutex_lock(&self->lock);
    is_free = !self->is_asked;
    self->is_asked = TRUE;
    self->is_wanted = TRUE;
    g_mutex_unlock(&self->lock);
    if (is_free)
        ring(self->asked_fd);
    return is_free;
}

void cmd_follower_rest(CmdFollower *self) {
    g_mutex_lock(&self->lock);
    self->is_wanted = FALSE;
    g_mutex_unlock(&self->lock);
    ring(self->asked_fd);
}

gboolean cmd_follower_take(CmdFollower *self, CmdFound *ret) {
    gboolean is_found;

    unring(self->news_fd);
    g_mutex_lock(&self->lock);
    is_found = self->is_found;
    if (is_found) {
        *ret = self->found;
        self->found = (CmdFound){ 0 };
        self->is_found = FALSE;
    }
    g_mutex_unlock(&self->lock);
    return is_found;
}

gboolean cmd_follower_take_event(CmdFollower *self, CmdEvent *ret) {
    g_autofree CmdEvent *event = NULL;

    g_mutex_lock(&self->lock);
    event = g_queue_pop_head(&self->events);
    g_mutex_unlock(&self->lock);
    if (event)
        *ret = *event;
    return event != NULL;
}
