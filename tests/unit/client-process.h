/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "memcg/sink.h"

/* A process that has eventfds, and does with them what it is told. It does not have ours: its descriptors
 * end with what it closes. */
typedef struct ClientProcess {
    pid_t pid;
    int socket;
} ClientProcess;

/* Whether we may take over the eventfd of another process here. If not it says so, as the last line of a
 * test that cannot run, whose status is 77. */
gboolean client_can_be_served(void);

/* Starts one. It sees the standard descriptors only. */
void client_start(ClientProcess *self);
void client_kill(const ClientProcess *self);
void client_end(ClientProcess *self); /* which kills it, too, and waits for it */

/* The number of a new eventfd; a read(2) or write(2) of it may block. */
int client_make_eventfd(const ClientProcess *self);
void client_dup2(const ClientProcess *self, int number, int to);
void client_close(const ClientProcess *self, int number);

/* What a registration of an eventfd of its names, if it is that user's, with copies as the helper would take them. */
MnSinkKey client_key(const ClientProcess *self, uid_t uid, int number);

/* How much was added to an eventfd since the last look; 0 for nothing. */
guint64 client_count(const ClientProcess *self, int number);

/* Adds as much as fits, so that a write(2) of 1 blocks. */
void client_fill(const ClientProcess *self, int number);
