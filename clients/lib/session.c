/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Between two looks at a server that is away: as long again as the one before, and no longer than this. */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 2000

/* Between two looks at one that has no room for more who connect. */
#define BUSY_PAUSE_NS 20000000

static void drop_transport(struct session *self) {
    if (self->transport)
        self->transport->ops->free(self->transport);
    self->transport = NULL;
}

int session_init(struct session *self) {
    struct epoll_event interest = { .events = EPOLLIN, .data.u32 = TRANSPORT_FOREIGN };

    self->pid = getpid();
    self->timer_fd = -1;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll_fd < 0)
        return -errno;
    self->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->timer_fd < 0 || epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->timer_fd, &interest) < 0)
        return -errno;
    return 0;
}

/* The epoll is left as it is, since it may be a parent's as well. */
void session_clear(struct session *self) {
    drop_transport(self);
    if (self->timer_fd >= 0)
        close(self->timer_fd);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
}

bool session_is_ours(const struct session *self) {
    return getpid() == self->pid;
}

/* 0: never. */
static void set_timer(struct session *self, int64_t at_us) {
    struct itimerspec at = { .it_value = { .tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000 } };

    if (at_us == self->timer_us)
        return;
    timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    self->timer_us = at_us;
}

void session_set_more(struct session *self, bool is_more) {
    if (is_more)
        set_timer(self, 1);
    else
        set_timer(self, self->state == SESSION_CONNECTED ? 0 : self->due_us);
}

static void go_away(struct session *self, int r) {
    self->transport->ops->disconnect(self->transport);
    self->lost_by = r;
    self->state = SESSION_AWAY;
    self->pause_ms = self->pause_ms == 0 ? PAUSE_MIN_MS : self->pause_ms * 2;
    if (self->pause_ms > PAUSE_MAX_MS)
        self->pause_ms = PAUSE_MAX_MS;
    self->due_us = clock_now_us() + self->pause_ms * 1000LL;
}

/* What a server that has come back does not understand is not waited for any more. */
static void drop_limits(struct session *self) {
    self->limits[0] = '\0';
    news_forget_limits(&self->news);
    self->is_refused = true;
}

static void look_for_server(struct session *self) {
    int r = self->transport->ops->connect(self->transport, self->limits);

    if (r == -EINVAL) {
        drop_limits(self);
        self->transport->ops->disconnect(self->transport);
        r = self->transport->ops->connect(self->transport, self->limits);
    }
    if (r < 0) {
        go_away(self, r);
        return;
    }
    self->state = SESSION_RESTORING;
    self->due_us = clock_now_us() + TRANSPORT_ANSWER_MS * 1000LL;
}

static void end_restoring(struct session *self) {
    self->state = SESSION_CONNECTED;
    self->pause_ms = 0;
    news_add_reconnection(&self->news, clock_now_us());
}

/* Whether there was anything. */
static bool receive(struct session *self) {
    int r = self->transport->ops->receive(self->transport);

    if (r == -EINVAL)
        drop_limits(self);
    if (!self->transport->is_connected)
        go_away(self, r);
    return r != 0;
}

bool session_step(struct session *self) {
    bool is_progress;

    if (self->state == SESSION_AWAY) {
        is_progress = clock_now_us() >= self->due_us;
        if (is_progress)
            look_for_server(self);
        return is_progress;
    }

    is_progress = receive(self);
    if (self->state != SESSION_RESTORING)
        return is_progress;
    if (self->transport->ops->is_settled(self->transport))
        end_restoring(self);
    else if (!is_progress && clock_now_us() >= self->due_us)
        go_away(self, -ETIMEDOUT);
    return is_progress || self->state != SESSION_RESTORING;
}

/* Until it is connected, if the time to look for the server has come. */
int session_begin(struct session *self) {
    struct pollfd waiter = { .fd = self->epoll_fd, .events = POLLIN };

    if (!session_is_ours(self))
        return -ECHILD;
    while (self->state != SESSION_CONNECTED) {
        if (session_step(self))
            continue;
        if (self->state == SESSION_AWAY)
            return -ENOTCONN;
        session_set_more(self, false);
        poll(&waiter, 1, -1);
    }
    return 0;
}

int session_end(struct session *self, int r) {
    if (r == -ECHILD) /* the timer is the parent's */
        return r;
    if (self->state == SESSION_CONNECTED && !self->transport->is_connected) {
        go_away(self, r);
        r = r == 0 || r == -ETIMEDOUT ? r : -ENOTCONN;
    }
    session_set_more(self, self->is_refused || !news_is_empty(&self->news));
    return r;
}

/* Looks once, and some times more at a server that is too busy. */
static int look_first(struct session *self) {
    const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
    int64_t end_us = clock_now_us() + TRANSPORT_ANSWER_MS * 1000LL;

    for (;;) {
        self->state = SESSION_AWAY;
        self->due_us = 0;
        if (session_begin(self) == 0)
            return 0;
        if (self->lost_by != -EAGAIN || clock_now_us() >= end_us)
            return self->lost_by;
        nanosleep(&pause, NULL);
    }
}

int session_open(struct session *self, session_transport_new new_transport, const char *path) {
    struct transport like = { .news = &self->news, .refusal = &self->refusal, .epoll_fd = self->epoll_fd };
    int r = new_transport(path, &like, &self->transport);

    if (r == 0)
        r = look_first(self);
    if (r < 0)
        drop_transport(self);
    else
        memset(&self->news, 0, sizeof self->news); /* it was not away */
    session_set_more(self, false);
    return r;
}
