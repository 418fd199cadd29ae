/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is promised in <memnotifyfs/client.h>, over a session. */
#include "limit.h"
#include "place.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memnotifyfs {
    struct session session;
};

/* Nobody serves there, so somebody may elsewhere. */
static bool is_absent(int r) {
    return r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED || r == -ENOTCONN || r == -EACCES || r == -ENAMETOOLONG;
}

/* 0, or why not. That something is there which does not serve says more than that nothing is: it is kept in *telling.
 * */
static int try(memnotifyfs *self, session_transport_new new_transport, const char *path, int *telling) {
    int r = session_open(&self->session, new_transport, path);

    if (r != -ENOENT && r != -ENOTDIR && r != -ENAMETOOLONG)
        *telling = r;
    return r;
}

/* At a place that is a socket, or a mount point, which has its socket below it, or beside it, or none. */
static int open_at(memnotifyfs *self, const char *path, int *telling) {
    char below[PATH_MAX + sizeof "/" MEMNOTIFYFS_SOCKET_FILE];
    char beside[PATH_MAX + sizeof MEMNOTIFYFS_SOCKET_SUFFIX];
    int r;

    snprintf(below, sizeof below, "%s/" MEMNOTIFYFS_SOCKET_FILE, path);
    snprintf(beside, sizeof beside, "%s" MEMNOTIFYFS_SOCKET_SUFFIX, path);
    r = try(self, transport_new_socket, below, telling);
    if (r == -ENOTDIR)
        return try(self, transport_new_socket, path, telling);
    if (is_absent(r))
        r = try(self, transport_new_socket, beside, telling);
    if (is_absent(r))
        r = try(self, transport_new_files, path, telling);
    return r;
}

static int open_places(memnotifyfs *self, const char *place) {
    struct places places;
    int r, telling = -ENOENT;

    r = places_find(place, secure_getenv(MEMNOTIFYFS_ENVIRONMENT), secure_getenv("XDG_RUNTIME_DIR"), &places);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < places.n; i++) {
        r = open_at(self, places.paths[i], &telling);
        if (!is_absent(r))
            return r;
    }
    return telling;
}

int memnotifyfs_open(const char *place, memnotifyfs **ret) {
    memnotifyfs *self = calloc(1, sizeof *self);
    int r;

    if (!self)
        return -ENOMEM;
    r = session_init(&self->session);
    if (r == 0)
        r = open_places(self, place);
    if (r < 0) {
        memnotifyfs_close(self);
        return r;
    }
    *ret = self;
    return 0;
}

void memnotifyfs_close(memnotifyfs *self) {
    if (!self)
        return;
    session_clear(&self->session);
    free(self);
}

static int set_limits(struct session *session, const char *limits) {
    char flat[MEMNOTIFYFS_LIMITS_MAX + 1];
    size_t len = strlen(limits);
    int r;

    session->refusal = (struct refusal){ 0 };
    if (len > MEMNOTIFYFS_LIMITS_MAX) {
        session->refusal = (struct refusal){ MEMNOTIFYFS_LIMITS_MAX + 1, "the text is too long" };
        return -EINVAL;
    }
    memcpy(flat, limits, len + 1);
    limit_flatten(flat);
    r = session->transport->ops->set_limits(session->transport, flat);
    if (r == 0)
        memcpy(session->limits, flat, len + 1);
    return r;
}

int memnotifyfs_set_limits(memnotifyfs *self, const char *limits) {
    int r = session_begin(&self->session);

    return session_end(&self->session, r < 0 ? r : set_limits(&self->session, limits));
}

int memnotifyfs_get_fd(const memnotifyfs *self) {
    return self->session.epoll_fd;
}

/* Whether there is something to return, which is written then. */
static bool take_news(struct session *session, struct memnotifyfs_event *event, int *ret) {
    if (session->is_refused) {
        session->is_refused = false;
        *ret = -EINVAL;
        return true;
    }
    *ret = 1;
    return session->state != SESSION_RESTORING && news_take(&session->news, event);
}

int memnotifyfs_next(memnotifyfs *self, struct memnotifyfs_event *ret) {
    struct session *session = &self->session;
    int r;

    if (!session_is_ours(session))
        return -ECHILD;
    do {
        if (take_news(session, ret, &r)) {
            session_set_more(session, true);
            return r;
        }
    } while (session_step(session));
    session_set_more(session, false);
    return 0;
}

bool memnotifyfs_is_reached(const memnotifyfs *self, const char *meter) {
    return news_is_reached(&self->session.news, meter);
}

int memnotifyfs_get_meter(memnotifyfs *self, const char *meter, uint64_t *ret) {
    int r = session_begin(&self->session);
    struct transport *transport = self->session.transport;

    return session_end(&self->session, r < 0 ? r : transport->ops->get_meter(transport, meter, ret));
}

int memnotifyfs_get_page(memnotifyfs *self, const struct memnotifyfs_page **ret) {
    int r = session_begin(&self->session);
    struct transport *transport = self->session.transport;

    return session_end(&self->session, r < 0 ? r : transport->ops->get_page(transport, ret));
}

const char *memnotifyfs_get_error(const memnotifyfs *self, unsigned *ret_column) {
    if (ret_column)
        *ret_column = self->session.refusal.column;
    return self->session.refusal.reason;
}
