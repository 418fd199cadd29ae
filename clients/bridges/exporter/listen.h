/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where nothing else was said. The numbers that exporters of Prometheus share out are all taken. */
#define EXP_LISTEN_DEFAULT "127.0.0.1:10776"

/* Listening sockets. */
typedef struct ExpListen {
    GArray *fds;        /* of int */
    GArray *paths;      /* of those in the filesystem that we have made */
    gboolean is_public; /* some of them can be reached from elsewhere */
} ExpListen;

/* Takes those that the service manager hands over, where it does, else listens at the addresses, which end with NULL, or are
 * NULL for the default: "PORT" and "HOST:PORT", with brackets around an IPv6 address, and the path of a Unix socket. Port 0 is a
 * free one. Prints each as "listening at http://HOST:PORT/". Says on stderr what is wrong, and returns the exit status. */
int exp_listen_init(ExpListen *self, char **addresses);

/* Removes those in the filesystem. */
void exp_listen_end(ExpListen *self);
