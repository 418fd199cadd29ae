/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By the socket: memnotifyfs-socket(7).
 *
 * Requests are answered in their order, so it is enough to remember which are to be answered yet. Lines of events come
 * between answers. After what may have been lost or changed unseen the server is asked for the state of now. */
#include "clock.h"
#include "line.h"
#include "mapping.h"
#include "transport.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define WATCH "watch "

enum request {
    REQUEST_RESTORE, /* the limits that hold, for a new connection */
    REQUEST_WATCH,   /* others */
    REQUEST_READ,
    REQUEST_PAGE,
    N_REQUESTS
};

/* Two at a time that wait for their answer, and others that nobody waits for. */
#define ASKED_MAX 8

struct socket_transport {
    struct transport base;
    struct wire wire;
    enum request asked[ASKED_MAX]; /* that are to be answered, the first first */
    unsigned n_asked;
    int results[N_REQUESTS];                               /* of the last answers: 0 or -errno */
    struct line_meter meters[MEMNOTIFYFS_PAGE_METERS_MAX]; /* of the last answer to "read" */
    unsigned n_meters;
    bool is_reading;                     /* that answer has begun */
    const struct memnotifyfs_page *page; /* NULL: nobody has asked for it */
    char path[];
};

static struct socket_transport *from_base(const struct transport *base) {
    return (struct socket_transport *)base;
}

/* --- asking --- */

static int ask(struct socket_transport *self, enum request request, const char *text) {
    int r;

    if (self->n_asked == ASKED_MAX)
        return -EAGAIN;
    r = wire_send(&self->wire, text);
    if (r == 0)
        self->asked[self->n_asked++] = request;
    return r;
}

static int ask_for_state(struct socket_transport *self) {
    return ask(self, REQUEST_READ, "read\n");
}

static int ask_for_page(struct socket_transport *self) {
    return ask(self, REQUEST_PAGE, "page\n");
}

/* The limits, and what is reached of them. */
static int ask_for_limits(struct socket_transport *self, enum request request, const char *limits) {
    char text[sizeof WATCH + MEMNOTIFYFS_LIMITS_MAX + 1];
    int r;

    snprintf(text, sizeof text, WATCH "%s\n", limits);
    r = ask(self, request, text);
    return r < 0 ? r : ask_for_state(self);
}

/* --- being answered --- */

static void learn_limits(struct socket_transport *self) {
    int64_t now_us = clock_now_us();

    for (unsigned i = 0; i < self->n_meters; i++) {
        const struct line_meter *meter = &self->meters[i];
        struct news_limit limit = { .is_reached = meter->is_reached,
                                    .time_us = now_us,
                                    .value_pages = meter->pages,
                                    .limit_pages = meter->limit_pages };

        memcpy(limit.meter, meter->name, sizeof limit.meter);
        if (meter->has_limit)
            news_learn(self->base.news, &limit);
    }
}

static int take_page(struct socket_transport *self) {
    int fd = wire_take_fd(&self->wire), r;

    if (fd < 0)
        return -EPROTO;
    r = mapping_renew(fd, &self->page);
    close(fd);
    return r;
}

/* Whether this is the end of it: limits that are not understood will never be, and all else is tried again. */
static int end_restoring(int r) {
    return r == 0 || r == -EINVAL ? r : -ENOTCONN;
}

static void begin_reading(struct socket_transport *self) {
    if (!self->is_reading)
        self->n_meters = 0;
    self->is_reading = true;
}

static int take_answer(struct socket_transport *self, int r) {
    enum request request = self->asked[0];

    if (request == REQUEST_READ)
        begin_reading(self); /* unless a meter has */
    self->is_reading = false;
    self->n_asked--;
    memmove(self->asked, self->asked + 1, self->n_asked * sizeof *self->asked);
    if (request == REQUEST_PAGE && r == 0)
        r = take_page(self);
    self->results[request] = r;

    switch (request) {
    case REQUEST_RESTORE:
        return end_restoring(r);
    case REQUEST_WATCH:
        if (r == 0)
            news_forget_limits(self->base.news);
        return 0;
    case REQUEST_READ:
        if (r == 0)
            learn_limits(self);
        return r == 0 || r == -ENODEV ? 0 : r;
    default:
        return 0;
    }
}

/* The column is that of the request, which has a word before the limits. */
static int take_error(struct socket_transport *self, const char *line) {
    enum request request = self->asked[0];
    struct refusal refusal;
    int r = line_parse_error(line, &refusal);

    if (request == REQUEST_WATCH || request == REQUEST_RESTORE) {
        refusal.column -= refusal.column > strlen(WATCH) ? (unsigned)strlen(WATCH) : refusal.column;
        *self->base.refusal = refusal;
    }
    return take_answer(self, r);
}

static int take_meter(struct socket_transport *self, const char *line) {
    struct line_meter meter;

    if (line_parse_meter(line, &meter) < 0)
        return -EPROTO;
    begin_reading(self);
    if (self->n_meters < MEMNOTIFYFS_PAGE_METERS_MAX)
        self->meters[self->n_meters++] = meter;
    return 0;
}

static int take_event(struct socket_transport *self, const char *line) {
    struct memnotifyfs_event event;

    if (line_parse_event(line, &event) < 0)
        return 0; /* of a newer server */
    news_add(self->base.news, &event);
    if ((event.kind == MEMNOTIFYFS_LOST || event.kind == MEMNOTIFYFS_RETURNED) && self->n_asked == 0)
        return ask_for_state(self);
    return 0;
}

static int take_line(struct socket_transport *self, const char *line) {
    if (*line >= '0' && *line <= '9')
        return take_event(self, line);
    if (self->n_asked == 0)
        return -EPROTO;
    if (strcmp(line, "ok") == 0)
        return take_answer(self, 0);
    if (strncmp(line, "error ", 6) == 0)
        return take_error(self, line);
    return self->asked[0] == REQUEST_READ ? take_meter(self, line) : -EPROTO;
}

/* --- the transport --- */

static int lose(struct socket_transport *self, int r) {
    if (r < 0 && r != -EINVAL)
        self->base.is_connected = false;
    return r;
}

static int socket_receive(struct transport *base) {
    struct socket_transport *self = from_base(base);
    const char *line = wire_take_line(&self->wire);
    int r = line ? take_line(self, line) : wire_receive(&self->wire);

    return r < 0 || !line ? lose(self, r) : 1;
}

static bool socket_is_settled(const struct transport *base) {
    return from_base(base)->n_asked == 0;
}

/* Until everything is answered, and all that has come is taken. */
static int wait_for_answers(struct socket_transport *self) {
    int64_t end_us = clock_now_us() + TRANSPORT_ANSWER_MS * 1000LL;
    struct pollfd waiter = { .fd = self->wire.fd, .events = POLLIN };

    for (;;) {
        int64_t left_us = end_us - clock_now_us();
        int r = socket_receive(&self->base);

        if (r <= 0 && self->n_asked == 0)
            return 0;
        if (r < 0)
            return r;
        if (left_us <= 0)
            return lose(self, -ETIMEDOUT);
        if (r == 0)
            poll(&waiter, 1, (int)(left_us / 1000) + 1);
    }
}

static int socket_connect(struct transport *base, const char *limits) {
    struct socket_transport *self = from_base(base);
    struct epoll_event interest = { .events = EPOLLIN };
    int r;

    r = wire_connect(&self->wire, self->path);
    if (r < 0)
        return r;
    if (epoll_ctl(base->epoll_fd, EPOLL_CTL_ADD, self->wire.fd, &interest) < 0)
        r = -errno;
    base->is_connected = r == 0;
    if (r == 0)
        r = *limits ? ask_for_limits(self, REQUEST_RESTORE, limits) : ask_for_state(self);
    return r == 0 && self->page ? ask_for_page(self) : r;
}

static void socket_disconnect(struct transport *base) {
    struct socket_transport *self = from_base(base);

    /* A child may have it open still. */
    if (self->wire.fd >= 0)
        epoll_ctl(base->epoll_fd, EPOLL_CTL_DEL, self->wire.fd, NULL);
    wire_disconnect(&self->wire);
    self->n_asked = 0;
    base->is_connected = false;
}

static int socket_set_limits(struct transport *base, const char *limits) {
    struct socket_transport *self = from_base(base);
    int r = ask_for_limits(self, REQUEST_WATCH, limits);

    r = r < 0 ? lose(self, r) : wait_for_answers(self);
    return r < 0 ? r : self->results[REQUEST_WATCH];
}

static int socket_get_meter(struct transport *base, const char *meter, uint64_t *ret) {
    struct socket_transport *self = from_base(base);
    int r = ask_for_state(self);

    r = r < 0 ? lose(self, r) : wait_for_answers(self);
    if (r == 0)
        r = self->results[REQUEST_READ];
    if (r < 0)
        return r;
    for (unsigned i = 0; i < self->n_meters; i++)
        if (strcmp(self->meters[i].name, meter) == 0) {
            *ret = self->meters[i].pages;
            return 0;
        }
    return -ENOENT;
}

static int socket_get_page(struct transport *base, const struct memnotifyfs_page **ret) {
    struct socket_transport *self = from_base(base);
    int r;

    if (!self->page || self->results[REQUEST_PAGE] < 0) {
        r = ask_for_page(self);
        r = r < 0 ? lose(self, r) : wait_for_answers(self);
        if (r == 0)
            r = self->results[REQUEST_PAGE];
        if (r < 0)
            return r;
    }
    *ret = self->page;
    return 0;
}

static void socket_free(struct transport *base) {
    struct socket_transport *self = from_base(base);

    if (!self)
        return;
    wire_disconnect(&self->wire);
    mapping_clear(&self->page);
    free(self);
}

static const struct transport_ops socket_ops = {
    .connect = socket_connect,
    .is_settled = socket_is_settled,
    .receive = socket_receive,
    .set_limits = socket_set_limits,
    .get_meter = socket_get_meter,
    .get_page = socket_get_page,
    .disconnect = socket_disconnect,
    .free = socket_free,
};

int transport_new_socket(const char *path, const struct transport *like, struct transport **ret) {
    size_t size = strlen(path) + 1;
    struct socket_transport *self = calloc(1, sizeof *self + size);

    if (!self)
        return -ENOMEM;
    self->base = *like;
    self->base.ops = &socket_ops;
    wire_init(&self->wire);
    memcpy(self->path, path, size);
    *ret = (struct transport *)self;
    return 0;
}
