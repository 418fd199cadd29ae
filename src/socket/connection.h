/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "board/lastcall.h"
#include "board/limits.h"
#include "core/turns.h"
#include "devices/triggers.h"
#include "kernel/helper.h"
#include "kernel/signaller.h"
#include "socket/backlog.h"
#include "socket/page.h"
#include "socket/wire.h"

typedef struct MnConnection MnConnection;

/* What all connections share. */
typedef struct MnConnectionServices {
    MnBoard *board;
    MnTriggers *triggers; /* NULL where nobody tells of stalls */
    MnLastCall *last_call;
    MnQuota *quota;
    MnSignaller *signaller; /* made with the first eventfd; the owner frees it */
    MnPage *page;           /* and with the first who wants it */

    /* mn_connection_serve() is to be called as soon as there is room for more that is sent. */
    void (*needs_room)(MnConnection *connection);

    /* He waits for something else than before, or has been told what he waits for. */
    void (*changed)(MnConnection *connection);
} MnConnectionServices;

/* One client of the socket: what he has asked for, charged to his user. */
struct MnConnection {
    MnConnectionServices *services;
    MnWire wire;
    MnAccount *account;
    pid_t pid; /* of who has connected; 0 when it cannot be seen from here */
    MnMember member;
    GString *input;  /* what is no whole command yet; NULL for nothing */
    MnNotice notice; /* that there is something to tell */
    MnLimits limits; /* of `watch` */
    char *asked;     /* the text of these; NULL for none, or a long one */
    MnBacklog backlog;
    gsize backlog_bytes; /* what is charged for it */
    MnArmedTrigger armed;
    GPtrArray *bells; /* of `eventfd`; NULL for none */
    gboolean is_armed;
    gboolean has_stalled;      /* the trigger has an event to tell */
    gboolean has_unread_stall; /* and has told one, which may not have been read */
    gboolean has_page;
    gboolean was_told;  /* a line, since changed() was called */
    gboolean is_all_in; /* the client sends no more */
    gboolean is_ending; /* nor is what he sends of interest */
    gboolean is_charged;
    gboolean is_refused;  /* he may not have a connection, and has been told so */
    gboolean has_hung_up; /* he has nobody left who would read an answer */

    MnTurn turn; /* the server's from here on */
    gboolean is_in_turn;
    gboolean waits_for_room;
    GList link;

    guint slot; /* the store's: see there */
    gboolean is_to_be_kept;
    GList kept_link;

    struct MnDisposal *disposal; /* NULL: it has none of his descriptors */
    MnHelperJob *disposal_job;   /* NULL: it waits for one, by the link */
    GList disposal_link;
};

typedef enum MnProgress {
    MN_PROGRESS_NONE,  /* nothing is to be done before something comes in */
    MN_PROGRESS_MORE,  /* there is more to be done at once */
    MN_PROGRESS_STUCK, /* nor before the client reads */
    MN_PROGRESS_OVER,  /* ever: it is to be freed */
    MN_PROGRESS_FOUL,  /* nor then before socket/disposal.h is done with what he has sent */
} MnProgress;

/* A client who has connected by `fd`, which is taken. He may be one who is refused: -EDQUOT or -ENFILE. */
MnConnection *mn_connection_new(MnConnectionServices *services, int fd, uid_t uid);

/* Tells him why he may not have a connection. It goes on until all is read that he has sent: else the kernel would take the
 * line for lost, and give him an error in its place. */
void mn_connection_refuse(MnConnection *self, int error);

/* He has closed it, or both sides send no more. What he has sent is still to be read, as above. */
void mn_connection_hang_up(MnConnection *self);

/* He has gone; or we go. */
void mn_connection_free(MnConnection *self); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MnConnection, mn_connection_free)

/* Takes a little of what has come in, and does one thing that is asked for. */
MnProgress mn_connection_serve(MnConnection *self);

/* Something has happened that everybody is told of who waits for limits. Allocates nothing. */
void mn_connection_tell(MnConnection *self, const MnEvent *event);

/* For those who answer: sends the lines that there are, as far as there is room; and sees to it that this is done when the
 * turn of the main loop ends. */
void mn_connection_send_lines(MnConnection *self);
void mn_connection_tell_later(MnConnection *self);
