/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way to the server: by its socket, or by its files.
 *
 * It says whether it is connected: when a function finds that the server is away it returns an error and clears that,
 * and the caller disconnects. Descriptors that have to be waited for are in an epoll of the caller's. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "news.h"
#include "refusal.h"

/* How long a server may take to answer. */
#define TRANSPORT_ANSWER_MS 5000

/* In the data of an epoll event: what is none of the transport's. */
#define TRANSPORT_FOREIGN UINT32_MAX

struct transport {
    const struct transport_ops *ops;
    struct news *news;       /* where to put what comes */
    struct refusal *refusal; /* where to say why limits were refused */
    int epoll_fd;
    bool is_connected;
};

struct transport_ops {
    /* Begins a connection in which `limits` hold, a flat text. Does not wait for an answer: until is_settled() that is
     * on its way. 0; -errno, and there is no connection. */
    int (*connect)(struct transport *self, const char *limits);

    /* Whether everything that was asked for is answered. */
    bool (*is_settled)(const struct transport *self);

    /* The next that has come goes to the news. Does not wait. 1; 0: there was nothing; -EINVAL: the limits of connect()
     * are refused; another -errno. */
    int (*receive)(struct transport *self);

    /* As the functions of <memnotifyfs/client.h>, and only while all is settled. */
    int (*set_limits)(struct transport *self, const char *limits);
    int (*get_meter)(struct transport *self, const char *meter, uint64_t *ret);
    int (*get_page)(struct transport *self, const struct memnotifyfs_page **ret);

    /* Ends the connection, and keeps what can be used for the next. */
    void (*disconnect)(struct transport *self);

    /* Closes what there is. The epoll is left alone, since a parent may go on to use it. Accepts NULL. */
    void (*free)(struct transport *self);
};

/* `path` is the socket. */
int transport_new_socket(const char *path, const struct transport *like, struct transport **ret);

/* `path` is the mount point. */
int transport_new_files(const char *path, const struct transport *like, struct transport **ret);

#endif
