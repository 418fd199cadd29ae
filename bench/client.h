/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A client of the socket of memnotifyfs, or of the bare server's. Whatever fails is fatal. */

/* Connects to the socket of a mount point, which is beside it. */
int client_connect(const char *mount);

/* Asks, and takes the answer, to a line "ok": a request that is answered once at most. */
void client_ask(int fd, const char *request);

/* Asks, and takes the descriptor that comes with the "ok". */
int client_ask_for_fd(int fd, const char *request);
