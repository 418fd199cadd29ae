/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "loop/clock.h"

#include <glib.h>
#include <sys/types.h>

/* A socket that clients connect to. */
typedef struct MnListener MnListener;

/* Makes one at `path`, for everybody who can reach it, where there may be one of a server that has died. -EADDRINUSE:
 * somebody serves it; -EEXIST: there is something else; -ENAMETOOLONG, or an error of bind(2). */
int mn_listener_bind(const char *path, int *ret_fd) G_GNUC_WARN_UNUSED_RESULT;

/* Takes the descriptor of a listening socket, and the path, if it is to be removed in the end. connected() is given the
 * descriptor of each client, and his user. Until it is freed it is in the epoll(7) set, with itself as the data of its event;
 * when that comes, mn_listener_let_in() is to be called. */
MnListener *mn_listener_new(int fd, const char *path, int epoll, const MnClock *clock,
                            void (*connected)(int fd, uid_t uid, gpointer data), gpointer data);
void mn_listener_let_in(MnListener *self);
void mn_listener_free(MnListener *self); /* accepts NULL */

/* Its address; empty for one that has no path. To be freed. */
char *mn_listener_get_path(const MnListener *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnListener, mn_listener_free)

/* The user who has connected to the other end of a socket. */
uid_t mn_listener_find_user(int fd);
