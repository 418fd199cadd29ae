/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/socket.h>

/* Sends a text and, unless it is -1, a copy of a descriptor with it, without waiting: through a socket that is connected, or
 * to an address. -errno: neither was sent; of a stream a part may have been. */
int mn_pass(int socket, const struct sockaddr *address, socklen_t address_len, const char *text, gsize len, int fd)
    G_GNUC_WARN_UNUSED_RESULT;
