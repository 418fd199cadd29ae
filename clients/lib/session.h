/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's relation to the server, which comes and goes. */
#ifndef SESSION_H
#define SESSION_H

#include "transport.h"

#include <sys/types.h>

enum session_state {
    SESSION_CONNECTED,
    SESSION_RESTORING, /* the connection is new, and what the client waited for is being asked for again */
    SESSION_AWAY,      /* until it is time to look for the server */
};

struct session {
    pid_t pid;        /* whose it is */
    int epoll_fd;     /* of the transport's descriptors and of ... */
    int timer_fd;     /* ... this, which rings when there is something to do that no other descriptor tells of */
    int64_t timer_us; /* when it does; 0: never */
    struct transport *transport;
    enum session_state state;
    int64_t due_us;    /* not while connected: when to look for the server, or to stop waiting for its answer */
    unsigned pause_ms; /* the last one */
    int lost_by;       /* why the connection was lost last, -errno */
    bool is_refused;   /* limits that held were, and the caller is to be told */
    char limits[MEMNOTIFYFS_LIMITS_MAX + 1]; /* that hold, a flat text */
    struct refusal refusal;
    struct news news;
};

typedef int (*session_transport_new)(const char *path, const struct transport *like, struct transport **ret);

/* 0, or -errno; to be cleared in any case. All of it is 0 before. */
int session_init(struct session *self);
void session_clear(struct session *self);

/* Whether this is the process that has made it. */
bool session_is_ours(const struct session *self);

/* Connects and waits until all is known. 0, or the reason why not: then it may be tried by another way. */
int session_open(struct session *self, session_transport_new new_transport, const char *path);

/* One step towards being connected and knowing everything. Does not wait. false: there is nothing to do at present. */
bool session_step(struct session *self);

/* The descriptor is ready from now on if there is more to tell, else when there is something to do. */
void session_set_more(struct session *self, bool is_more);

/* Before a request that waits: 0; -ENOTCONN: the server is away; -ECHILD. */
int session_begin(struct session *self);

/* After it, in any case: `r` is what came out. Returns what the caller is to know. */
int session_end(struct session *self, int r);

#endif
