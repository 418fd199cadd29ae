/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "live.h"
#include "mounts.h"

/* The HTTP server: /metrics, the page at / with what belongs to it, and its /events. */
typedef struct ExpWeb ExpWeb;

/* Lives as long as the program, in the main loop. With is_private only this machine reaches it, by its own names and by those
 * in `names`, which end with NULL, or are NULL, and stay the caller's. */
ExpWeb *exp_web_new(ExpMounts *mounts, ExpLive *live, gboolean is_private, char *const *names);

/* Serves those who connect to the listening socket, which stays the caller's. -errno. */
int exp_web_serve(ExpWeb *self, int fd) G_GNUC_WARN_UNUSED_RESULT;
